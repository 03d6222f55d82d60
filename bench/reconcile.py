"""One changed cell among a million rows: found by segment checksums, with its key, at what cost.

In: `--rows`, a PostgreSQL server (KEHU_TEST_POSTGRES_URL, or the one on loopback). Out: what was
found, and seconds as a ratio to counting and to reading the same rows. Touches: a database of its
own on that server, dropped at the end, and a temporary home.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2

from bench import source
from dags.reconcile import Comparison, reconcile
from expectations import gate
from kehu import settings as kehu_settings
from kehu.settings import Settings
from warehouse import raw

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    os.environ.setdefault("KEHU_HASH_KEY", "k" * 32)
    with database() as url, tempfile.TemporaryDirectory() as home:
        source.fill(url, rows)
        settings = loaded(url, Path(home))
        counting, _ = timed(lambda: ask(url, "select count(*) from lineitem"))
        reading, _ = timed(lambda: psycopg2_copy(url))
        equal, before = timed(lambda: compare(settings))
        assert before.is_equal, "loaded rows differ"
        ask(
            url,
            "update lineitem set l_extendedprice = l_extendedprice + 0.01"
            f" where l_orderkey = {rows // 8} and l_linenumber = 2",
        )
        finding, after = timed(lambda: compare(settings))
        print(f"rows {rows:,}: count(*) {counting:.2f} s, COPY of every row {reading:.2f} s")
        for what, seconds in (("nothing differs", equal), ("one cell differs", finding)):
            print(
                f"{what}: {seconds:.2f} s, {seconds / counting:.1f} x count(*),"
                f" {seconds / reading:.1f} x COPY"
            )
        print(f"changed: {after.found.changed}")
        assert list(after.found.changed.values()) == [["l_extendedprice"]]


def loaded(url: str, home: Path) -> Settings:
    """A home whose warehouse holds the table."""
    batches = source.extract(url, "lineitem", home)
    settings = replace(
        kehu_settings.load({"KEHU_HOME": str(home)}),
        contract_dirs=(home / "contracts",),
        source_urls={"billing": url},
    )
    gate.require_passed(gate.validate_all(batches, settings))
    raw.load_all(batches, settings, "bench")
    return settings


def compare(settings: Settings) -> Comparison:
    (comparison,) = reconcile(settings, "billing.lineitem")
    return comparison


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def psycopg2_copy(url: str) -> None:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor, _nowhere() as sink:
        cursor.copy_expert("copy lineitem to stdout (format csv)", sink)
    connection.close()


@contextmanager
def _nowhere() -> Iterator[Any]:
    with Path(os.devnull).open("wb") as sink:
        yield sink


def ask(url: str, sql: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
    connection.close()


@contextmanager
def database() -> Iterator[str]:
    """A database of its own, dropped at the end."""
    server = os.environ.get("KEHU_TEST_POSTGRES_URL") or SERVER
    name = f"kehu_bench_{uuid.uuid4().hex[:12]}"
    ask(server, f"create database {name}")
    try:
        yield server.rpartition("/")[0] + f"/{name}"
    finally:
        ask(server, f"drop database {name} with (force)")


if __name__ == "__main__":
    main()
