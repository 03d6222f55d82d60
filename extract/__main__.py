"""Command line of the first stage: extract a system, list contracts, compare with the sources.

In: arguments and `KEHU_*`. Out: tables on the terminal. Touches: what `extract.run` touches;
`contracts` and `check` write nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from extract import drift, landing
from extract.connectors import open_snapshot
from extract.contract import CLASSES, read_all
from extract.run import contracts_of, extract_system
from kehu import settings as kehu_settings
from kehu.errors import KehuError, SettingsError
from kehu.settings import SYSTEMS, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 when a person has to act."""
    given = _parser().parse_args(arguments)
    settings = kehu_settings.load()
    try:
        if given.command == "contracts":
            return _contracts(settings)
        if given.command == "check":
            return _check(settings, given.systems or SYSTEMS)
        return _extract(settings, given)
    except KehuError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m extract", description="Source to landing.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for system in SYSTEMS:
        one = commands.add_parser(system, help=f"extract {system} into landing, in one snapshot")
        one.add_argument(
            "--day", type=date.fromisoformat, required=True, help="day of the data, yyyy-mm-dd"
        )
        one.add_argument("--full", action="store_true", help="read every table whole")
        one.add_argument("--table", metavar="TABLE", help="read this table only")
        one.add_argument(
            "--watermarks",
            type=Path,
            metavar="FILE",
            help='JSON {"<table>": "<moment>"}: read only what changed since; default: all rows',
        )
    commands.add_parser("contracts", help="list the contracts")
    check = commands.add_parser("check", help="compare the sources with their contracts")
    check.add_argument("systems", nargs="*", metavar="SYSTEM", help="default: every system")
    return parser


def _console() -> Console:
    """The terminal; wide enough for every column when the output goes into a file or a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=200)


def _extract(settings: Settings, given: argparse.Namespace) -> int:
    batches = extract_system(
        given.command,
        day=given.day,
        run_id=f"cli-{uuid.uuid4()}",
        watermarks=_watermarks(given.watermarks),
        settings=settings,
        full=given.full,
        table=given.table,
    )
    table = Table(title=f"{given.command}, {given.day}", title_justify="left")
    for name in ("table", "source", "landed", "keys", "changed since", "watermark", "seconds"):
        is_number = name in ("source", "landed", "keys", "seconds")
        table.add_column(name, justify="right" if is_number else "left")
    news = []
    for batch in batches:
        manifest = landing.read_manifest(batch)
        table.add_row(
            batch.table,
            f"{manifest.source_rows:,}",
            f"{manifest.landed_rows:,}",
            "" if manifest.source_keys is None else f"{manifest.source_keys:,}",
            manifest.cursor_from or "all rows",
            manifest.cursor_to or "",
            f"{manifest.seconds:.2f}",
        )
        news += manifest.schema_changes
    console = _console()
    console.print(table)
    for change in news:
        console.print(f"source and contract differ: {change}")
    for batch in batches:
        print(batch.address)
    return 0


def _watermarks(path: Path | None) -> dict[str, datetime | None]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            table: None if moment is None else datetime.fromisoformat(moment)
            for table, moment in content.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"The watermarks cannot be read ({type(error).__name__}).",
            where=str(path),
            do='give a JSON file of the form {"bills": "2026-01-31T00:00:00"}',
        ) from None


def _contracts(settings: Settings) -> int:
    table = Table(title="contracts", title_justify="left")
    for name in ("table", "key", "cursor", "lookback", "deletes", "source", "columns"):
        table.add_column(name, no_wrap=name == "table")
    for contract in read_all(settings.contract_dirs):
        classes = [column.classification for column in contract.columns]
        table.add_row(
            contract.name,
            ", ".join(contract.key),
            contract.cursor or "whole table",
            str(contract.lookback) if contract.cursor else "",
            contract.deletes,
            contract.file.path if contract.file else contract.source_kind,
            ", ".join(f"{classes.count(name)} {name}" for name in CLASSES if name in classes),
        )
    _console().print(table)
    return 0


def _check(settings: Settings, systems: Sequence[str]) -> int:
    """Every difference of every system; 2 when one of them would stop a run."""
    table = Table(title="contracts against sources", title_justify="left")
    for name in ("system", "difference", "stops a run", "what to do"):
        table.add_column(name, overflow="fold")
    stops = False
    for system in systems:
        try:
            contracts = contracts_of(system, settings)
            with open_snapshot(system, settings.source_url(system), contracts) as snapshot:
                found = [item for c in contracts for item in drift.differences(snapshot, c)]
        except KehuError as error:
            stops = True
            table.add_row(system, error.what, "yes", f"{error.where}: {error.do}")
            continue
        if not found:
            table.add_row(system, f"none in {len(contracts)} tables", "no", "")
        for item in found:
            stops = stops or item.stops
            table.add_row(system, item.detail, "yes" if item.stops else "no", item.do)
    _console().print(table)
    return 2 if stops else 0


if __name__ == "__main__":
    sys.exit(main())
