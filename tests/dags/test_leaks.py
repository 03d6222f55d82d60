"""Nothing about a person leaves the restricted zone: published files, page, logs, screen.

The embedded sources plant canaries: names, numbers and addresses that are listed beside them. They
must be in the working file (or this test would prove nothing) and nowhere else. Beyond them, no
published cell may equal any value of a column that a contract calls personal or identifier.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from extract.contract import read_all
from kehu.settings import CLONE
from tests.dags.conftest import Round
from warehouse import connection

CONTRACTS = read_all([CLONE / "extract" / "contracts"])


@pytest.fixture(scope="module")
def canaries(first_round: Round) -> list[str]:
    """The planted values, and those with digits also without their punctuation."""
    path = first_round.settings.demo_sources / "truth" / "canaries.json"
    planted = [value for kind in json.loads(path.read_text(encoding="utf-8")).values()
               for value in kind]  # fmt: skip
    bare = {re.sub(r"[\s+()-]", "", value) for value in planted if re.search(r"\d{6}", value)}
    assert len(planted) >= 15
    return sorted({*planted, *bare})


def _texts(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, set[str]]]:
    """Every table's cells as texts, whatever their type."""
    tables = con.execute(
        "select table_schema, table_name from information_schema.tables"
    ).fetchall()
    for schema, table in tables:
        names = [row[1] for row in con.execute(f"pragma table_info('{schema}.{table}')").fetchall()]
        cells: set[str] = set()
        for name in names:
            cells.update(
                text
                for (text,) in con.execute(
                    f'select distinct cast("{name}" as varchar) from "{schema}"."{table}"'
                    f' where "{name}" is not null'
                ).fetchall()
            )
        yield f"{schema}.{table}", cells


def _planted_in(text: str, canaries: list[str]) -> list[str]:
    return [canary for canary in canaries if canary in text]


def test_the_canaries_are_in_the_restricted_zone(first_round: Round, canaries: list[str]) -> None:
    with connection.read(first_round.settings) as con:
        held = "\n".join(
            text
            for contract in CONTRACTS
            for column in contract.columns
            if column.identifier
            for (text,) in con.execute(
                f'select distinct "{column.name}" from raw."{contract.raw_table}"'
                f' where "{column.name}" is not null'
            ).fetchall()
            if isinstance(text, str)
        )
    assert len(_planted_in(held, canaries)) >= 10


def test_no_published_cell_holds_a_canary(first_round: Round, canaries: list[str]) -> None:
    with connection.read_published(first_round.published) as con:
        for table, cells in _texts(con):
            assert cells, table
            assert not _planted_in("\n".join(cells), canaries), table


def test_no_published_parquet_holds_a_canary(first_round: Round, canaries: list[str]) -> None:
    files = sorted((first_round.settings.published / "parquet").rglob("*.parquet"))
    assert files
    for path in files:
        table = ds.dataset(path).to_table()
        texts = [
            text
            for column in table.columns
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
            for text in column.unique().to_pylist()
            if text
        ]
        assert not _planted_in("\n".join(texts), canaries), path.name


def test_no_published_cell_equals_a_personal_value(first_round: Round) -> None:
    """Shorter than three characters, or one of a few codes, would equal something by chance."""
    personal: set[str] = set()
    with connection.read(first_round.settings) as con:
        for contract in CONTRACTS:
            for column in contract.columns:
                if column.classification not in ("personal", "identifier") or column.enum:
                    continue
                names = [column.name, *(n for n in column.derived if not n.endswith("_hash"))]
                for name in names:
                    found = con.execute(
                        f'select distinct cast("{name}" as varchar) from raw."{contract.raw_table}"'
                        f' where length(cast("{name}" as varchar)) > 2'
                    ).fetchall()
                    personal.update(text for (text,) in found)
        # Birth dates look like any other day.
        personal = {text for text in personal if not re.fullmatch(r"\d{4}-\d\d-\d\d", text)}
    assert len(personal) > 1000
    with connection.read_published(first_round.published) as con:
        for table, cells in _texts(con):
            assert not cells & personal, table


def test_logs_page_and_screen_hold_no_canary(first_round: Round, canaries: list[str]) -> None:
    settings = first_round.settings
    assert not _planted_in(first_round.screen, canaries)
    read = 0
    for folder in (settings.home / "airflow" / "logs", settings.run_reports, settings.dbt_target):
        for path in folder.rglob("*"):
            if path.is_file():
                read += 1
                text = path.read_bytes().decode("utf-8", "replace")
                assert not _planted_in(text, canaries), path
    assert read > 5


def test_what_a_run_leaves_is_for_its_owner_only(first_round: Round) -> None:
    settings = first_round.settings
    for folder in (settings.landing, settings.work_file.parent, settings.published):
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                assert path.stat().st_mode & 0o077 == 0, path
