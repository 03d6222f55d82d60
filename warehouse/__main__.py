"""`python -m warehouse`: what a person does with the warehouse by hand.

In: a command. Out: its result on the screen; exit code 1 and a message when it could not.
Touches: what the command names. Prints a cell of a source only for `show --restricted`.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from extract import contract as contracts_of
from extract import landing
from extract.landing import Batch
from kehu import settings as environment
from kehu.errors import KehuError, LandingError, WarehouseError
from kehu.settings import SYSTEMS, Settings
from warehouse import (
    backup,
    customer_view,
    dbt_sources,
    decide,
    hashes,
    metric_page,
    publish,
    raw,
    rebuild,
    runs,
    screen,
    volume,
)

_WIDTH = 120
"""Columns that the widest table needs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when it could not."""
    options = _parser().parse_args(arguments)
    try:
        result: int = options.command(options, environment.load())
        return result
    except KehuError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m warehouse", description="Landing to raw tables, and marts to readers."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    init = commands.add_parser("init", help="make the working file, its schemas and raw tables")
    init.set_defaults(command=_init)

    load = commands.add_parser("load", help="load validated batches; loaded ones are skipped")
    load.add_argument(
        "batches",
        nargs="*",
        metavar="batch",
        help="address of a batch, or <system>.<table> for all its batches that passed",
    )
    load.add_argument("--all", action="store_true", help="everything in landing that passed")
    load.add_argument("--run-id", default=None, help="default: manual-<now>")
    load.set_defaults(command=_load)

    rebuilding = commands.add_parser(
        "rebuild", help="the warehouse anew from landing alone, then switched"
    )
    rebuilding.set_defaults(command=_rebuild)

    backing_up = commands.add_parser("backup", help="copy the working file, verified")
    backing_up.add_argument("--to", type=Path, metavar="DIR", help="default: <home>/backups")
    backing_up.add_argument("--keep", type=int, default=backup.KEPT, help="default: %(default)s")
    backing_up.set_defaults(command=_backup)

    restoring = commands.add_parser(
        "restore", help="a backup, and what landing received since, in place of the working file"
    )
    restoring.add_argument("file", nargs="?", type=Path, help="default: the newest backup")
    restoring.add_argument("--as-it-was", action="store_true", help="nothing of landing on top")
    restoring.set_defaults(command=_restore)

    watermarks = commands.add_parser("watermarks", help="how far a system is loaded")
    watermarks.add_argument("system", choices=SYSTEMS)
    watermarks.add_argument("--json", action="store_true", help="as python -m extract reads it")
    watermarks.set_defaults(command=_watermarks)

    status = commands.add_parser("status", help="last load per source table, rows per mart")
    status.set_defaults(command=_status)

    publishing = commands.add_parser("publish", help="copy, switch: readers get the built marts")
    publishing.add_argument("--run-id", default=None, help="default: the last finished build")
    publishing.set_defaults(command=_publish)

    confirming = commands.add_parser(
        "confirm", help="take a batch for right whose size, or whose deletes, are out of bounds"
    )
    confirming.add_argument("table", metavar="TABLE", help="<system>.<table>")
    confirming.add_argument("batch", metavar="BATCH", help="id of the batch, as the message says")
    confirming.add_argument("--reason", required=True, help="why it is right")
    confirming.add_argument("--by", default=None, help="who says so; default: the user")
    confirming.set_defaults(command=_confirm)

    deciding = commands.add_parser(
        "decide",
        help="say of two source records that they are one customer, or are not",
        description="Lands the decision; it counts from the next build on, before every rule, until"
        " a later decision about the same two records. The history stays.",
    )
    deciding.add_argument("decision", choices=["must_link", "must_not_link", decide.WITHDRAWN])
    deciding.add_argument("first", metavar="SYSTEM:ID", help="a record, such as billing:A0001")
    deciding.add_argument("second", metavar="SYSTEM:ID", help="the other record")
    deciding.add_argument("--reason", required=True, help="why")
    deciding.add_argument("--by", default=None, help="who says so; default: the user")
    deciding.add_argument(
        "--unknown", action="store_true", help="also of records that no publication knows yet"
    )
    deciding.set_defaults(command=_decide)

    holding = commands.add_parser("holds", help="source tables that keep marts from being built")
    holding.set_defaults(command=_holds)

    showing = commands.add_parser(
        "show", help="one customer as readers see it: records, why, changes, events"
    )
    showing.add_argument("name", help="customer id, old or new, or <system>:<record id>")
    showing.add_argument(
        "--restricted", action="store_true", help="with names and numbers; on a terminal only"
    )
    showing.set_defaults(command=_show_customer)

    hashing = commands.add_parser("hashes", help="a hash per table, without run ids and times")
    hashing.add_argument("file", nargs="?", type=Path, help="default: the published file")
    hashing.set_defaults(command=_hashes)

    sources = commands.add_parser("sources", help="print dbt's source files made from contracts")
    sources.add_argument("--write", action="store_true", help="write them into dbt_project")
    sources.set_defaults(command=_sources)

    metrics = commands.add_parser("metrics", help="print the page of metrics made from their YAML")
    metrics.add_argument("--write", action="store_true", help="write it to docs/metrics.md")
    metrics.set_defaults(command=_metrics)
    return parser


def _init(options: argparse.Namespace, settings: Settings) -> int:
    contracts = contracts_of.read_all(settings.contract_dirs)
    raw.create_all(contracts, settings)
    print(f"{settings.work_file}: {len(contracts)} raw tables")
    return 0


def _load(options: argparse.Namespace, settings: Settings) -> int:
    run_id = options.run_id or f"manual-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    results = []
    if named := [Batch.at(settings.landing, text) for text in options.batches if "/" in text]:
        results += raw.load_all(named, settings, run_id)
    tables = [text for text in options.batches if "/" not in text]
    chosen = landing.batches(settings.landing) if options.all else []
    for name in tables:
        system, _, table = name.partition(".")
        found = landing.batches(settings.landing, system, table)
        if not table or not found:
            raise LandingError(
                "Nothing of that table has landed.",
                where=f"{settings.landing}: {name}",
                do="give an address of a batch, or <system>.<table>",
            )
        chosen += found
    if not (named or chosen):
        raise LandingError(
            "No batch is named.",
            where=str(settings.landing),
            do="give addresses, <system>.<table>, or --all",
        )
    for batch in chosen:
        if _passed(batch):
            results += raw.load_all([batch], settings, run_id)
        else:
            print(f"left out, not passed by the gate: {batch.address}", file=sys.stderr)
    _show(screen.loads(results))
    return 0


def _rebuild(_: argparse.Namespace, settings: Settings) -> int:
    rebuild.rebuild(settings, partial(print, flush=True))
    return 0


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    backup.back_up(settings, options.to, options.keep, partial(print, flush=True))
    return 0


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    say = partial(print, flush=True)
    backup.restore(settings, options.file, say, as_it_was=options.as_it_was)
    return 0


def _passed(batch: Batch) -> bool:
    verdict = landing.find_verdict(batch)
    return verdict is not None and verdict.passed


def _watermarks(options: argparse.Namespace, settings: Settings) -> int:
    found = raw.watermarks(options.system, settings)
    if options.json:
        print(json.dumps({name: value.isoformat() for name, value in found.items()}, indent=2))
    else:
        for name, value in found.items():
            print(f"{options.system}.{name:<24} {value.isoformat(sep=' ')}")
    return 0


def _status(options: argparse.Namespace, settings: Settings) -> int:
    _show(*screen.status(settings))
    return 0


def _show(*tables: Table) -> None:
    """Numbers are never cut: a log or a narrow window gets long lines."""
    console = Console()
    console = Console(width=max(console.width, _WIDTH))
    for table in tables:
        console.print(table)


def _publish(options: argparse.Namespace, settings: Settings) -> int:
    print(publish.publish(settings, options.run_id or runs.built_run(settings)))
    return 0


def _confirm(options: argparse.Namespace, settings: Settings) -> int:
    by = options.by or getpass.getuser()
    word = volume.confirm_batch(settings, options.table, options.batch, by, options.reason)
    print(f"{options.table}, batch {options.batch}: confirmed by {word.by} at {word.at}")
    print("Clear the task that stopped, or wait for the next run.")
    return 0


def _decide(options: argparse.Namespace, settings: Settings) -> int:
    pair = decide.Record.of(options.first), decide.Record.of(options.second)
    unknown = decide.unknown(settings, pair)
    if unknown and not options.unknown:
        raise WarehouseError(
            f"No published customer has {' and '.join(map(str, unknown))}.",
            where=f"{settings.published_file}: customer.bridge_customer_records",
            do="correct the system or the number; --unknown decides ahead of the record's arrival",
        )
    by = options.by or getpass.getuser()
    batch = decide.decide(settings, options.decision, pair, reason=options.reason, by=by)
    if unknown is None:
        print("Nothing is published yet: whether the two records exist was not checked.")
    print(f"{pair[0]}, {pair[1]}: {options.decision}, by {by}; it counts from the next build on.")
    print(batch.address)
    return 0


def _holds(options: argparse.Namespace, settings: Settings) -> int:
    """0 when nothing is held, 2 when a person has to look."""
    held = volume.all_holds(settings)
    for hold in held:
        print(f"{hold}; batch {hold.batch.batch_id}")
    return 2 if held else 0


def _show_customer(options: argparse.Namespace, settings: Settings) -> int:
    if options.restricted and not sys.stdout.isatty():
        raise WarehouseError(
            "Names and numbers are shown on a terminal only: output that is redirected may be read "
            "outside the restricted zone.",
            where="--restricted",
            do="call it on a terminal, or without --restricted",
        )
    console = Console()
    console = Console(width=max(console.width, _WIDTH))
    for part in customer_view.view(settings, options.name, restricted=options.restricted):
        if not isinstance(part, Table) or part.row_count:
            console.print(part)
    return 0


def _hashes(options: argparse.Namespace, settings: Settings) -> int:
    for table, value in hashes.table_hashes(options.file or settings.published_file).items():
        print(f"{value}  {table}")
    return 0


def _metrics(options: argparse.Namespace, settings: Settings) -> int:
    text = metric_page.text(settings.dbt_project)
    if options.write:
        path = metric_page.PAGE
        path.write_text(text, encoding="utf-8")
        print(path)
    else:
        print(text, end="")
    return 0


def _sources(options: argparse.Namespace, settings: Settings) -> int:
    contracts = contracts_of.read_all(settings.contract_dirs)
    if options.write:
        for path in dbt_sources.write(contracts, settings.dbt_project):
            print(path.relative_to(settings.dbt_project.parent))
    else:
        print("".join(dbt_sources.texts(contracts).values()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
