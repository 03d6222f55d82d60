"""Readers of PostgreSQL against its own COPY BINARY: speed, memory, and what they do to cells.

In: rows, rounds, optionally a CSV file of TPC-H's lineitem, and the Python of an environment with
the candidates (`--install` makes one from the dependency group `readers`). Out: two tables.
Touches: a PostgreSQL server of its own in a temporary folder, ended afterwards.

Rates are rows per CPU second of client and server together; the readers take turns in every
round, each in a new process, and the table shows medians. Memory is the peak of the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import psycopg2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import readers, source
from kehu.settings import CLONE
from tests import own_servers

FLOOR = "COPY BINARY to null"
TICKS = os.sysconf("SC_CLK_TCK")


def server_cpu(root: int) -> float:
    """CPU seconds so far of the server with this process id and of all its sessions."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == root:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == root:
            total += sum(map(int, fields[11:13]))
    return total / TICKS


def server_of(url: str) -> int:
    """Process id of the server's parent process."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (session,) = cursor.fetchone()
    parent = Path(f"/proc/{session}/stat").read_text().rpartition(")")[2].split()[1]
    connection.close()
    return int(parent)


def psql(url: str, statement: str, output: Any) -> None:
    command = [str(own_servers.program("psql")), "-qX", url, "-c", statement]
    subprocess.run(command, check=True, stdout=output)


def copy_binary(url: str) -> dict[str, float]:
    """The floor: psql drops what the server sends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    psql(url, "copy lineitem to stdout (format binary)", subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "memory": 0}


def in_process(python: str, what: str, reader: str, url: str, table: str) -> dict[str, Any]:
    """The result of `bench.readers` in a process of its own; `failed` with the error's kind."""
    done = subprocess.run(
        [python, "-m", "bench.readers", what, reader, url, table],
        capture_output=True,
        text=True,
        cwd=CLONE,
        env={**os.environ, "PYTHONPATH": str(CLONE)},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"failed": last.partition(":")[0].rpartition(".")[2][:40]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measured(act: Callable[[], dict[str, Any]], server: int) -> dict[str, Any]:
    """`act`, and the CPU seconds that the server spent on it."""
    before = server_cpu(server)
    result = act()
    time.sleep(0.3)  # the session ends a moment later
    return {**result, "server": server_cpu(server) - before}


def speeds(url: str, names: list[str], python: Callable[[str], str], options: Any) -> Table:
    """The rounds, and their medians as a table."""
    server = server_of(url)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in [FLOOR, *names]}
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from lineitem")
        (rows,) = cursor.fetchone()
    with tempfile.TemporaryFile() as file:
        psql(url, "copy lineitem to stdout (format csv)", file)
        csv_bytes = file.tell()
    for number in track(range(options.rounds), "measuring", console=Console(stderr=True)):
        for name in list(found)[:: -1 if number % 2 else 1]:
            if name == FLOOR:
                result = measured(lambda: copy_binary(url), server)
            else:
                result = measured(
                    lambda name=name: in_process(  # type: ignore[misc]
                        python(name), "speed", name, url, "lineitem"
                    ),
                    server,
                )
            found[name].append(result)
    table = Table(title=f"{rows:,} rows, {csv_bytes / 1e6:,.0f} MB of CSV, {options.rounds} rounds")
    for heading in ("reader", "client CPU s", "server CPU s", "rows per CPU s", "of COPY BINARY",
                    "peak MB", "of CSV size"):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "reader" else "right")
    floor = statistics.median(r["cpu"] + r["server"] for r in found[FLOOR])
    for name, results in found.items():
        if failed := next((r["failed"] for r in results if "failed" in r), None):
            table.add_row(name, f"failed: {failed}")
            continue
        client, served = (statistics.median(r[k] for r in results) for k in ("cpu", "server"))
        both = statistics.median(r["cpu"] + r["server"] for r in results)
        peak = max(r["memory"] for r in results)
        memory = (f"{peak / 1e6:,.0f}", f"{peak / csv_bytes:.2f}") if peak else ("", "")
        rates = (f"{rows / both:,.0f}", f"{floor / both:.2f}")
        table.add_row(name, f"{client:.2f}", f"{served:.2f}", *rates, *memory)
    return table


def same_number(one: str | None, other: str) -> bool:
    try:
        left, right = Decimal(one or "x"), Decimal(other)
        return left == right or (left.is_nan() and right.is_nan())
    except InvalidOperation:
        return False


def verdict(given: dict[str, Any], wanted: tuple[str, ...]) -> str:
    """exact, reported (as a bad cell, with its text), changed, or failed."""
    if "failed" in given:
        return "error"
    outcomes = set()
    for number, cell in enumerate(wanted):
        found = given.get(str(number))
        if found == cell or same_number(found, cell):
            outcomes.add("exact")
        elif str(found).startswith("reported: "):
            outcomes.add("reported" if str(found)[10:] == cell else "changed")
        else:
            outcomes.add("changed")
    return "changed" if "changed" in outcomes else ", ".join(sorted(outcomes))


def fidelity(url: str, names: list[str], python: Callable[[str], str]) -> Table:
    """What each reader makes of the types' odd cells."""
    table = Table(title="cells against PostgreSQL's own text")
    table.add_column("type in the source")
    for name in names:
        table.add_column(name)
    for kind_table, (kind, _, cells) in source.TYPES.items():
        outcomes = [
            verdict(in_process(python(name), "cells", name, url, kind_table), cells)
            for name in names
        ]
        shown = ", ".join(cell[:24].replace("\n", "\\n") for cell in cells[:2])
        table.add_row(f"{kind}: {shown}", *outcomes)
    return table


def install(folder: Path) -> str:
    """An environment with the candidates; its Python."""
    uv = Path(sys.executable).with_name("uv")
    environment = {**os.environ, "VIRTUAL_ENV": str(folder), "UV_SYSTEM_CERTS": "1"}
    subprocess.run([uv, "venv", "-q", "--allow-existing", folder, "-p", "3.11"], check=True)
    subprocess.run(
        [uv, "pip", "install", "-q", "--group", "readers"],
        check=True, cwd=CLONE, env=environment,
    )  # fmt: skip
    return str(folder / "bin" / "python")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.extract", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="default 2,000,000")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--csv", type=Path, help="rows of TPC-H's lineitem instead of made-up ones")
    parser.add_argument("--python", help="Python of an environment with the other readers")
    parser.add_argument("--install", type=Path, help="make such an environment in this folder")
    parser.add_argument("--only", nargs="+", metavar="READER", help=", ".join(readers.READERS))
    options = parser.parse_args()
    os.environ.setdefault("KEHU_HASH_KEY", "0" * 32)
    other = install(options.install) if options.install else options.python
    able = readers.READERS if other else readers.OURS
    names = [name for name in able if name in (options.only or able)]
    console = Console(width=150)

    def python(name: str) -> str:
        return sys.executable if name in readers.OURS else other

    with (
        tempfile.TemporaryDirectory(prefix="kehu-bench-") as folder,
        own_servers.own_postgres(Path(folder)) as port,
    ):
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        source.fill(url, options.rows, options.csv)
        console.print(speeds(url, names, python, options))
        console.print(fidelity(url, [n for n in names if n != readers.OURS[1]], python))


if __name__ == "__main__":
    main()
