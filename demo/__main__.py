"""`python -m demo`: make the embedded source systems, or let days pass in them.

In: options and `kehu.settings`. Out: a table of what was written. Touches what `demo.lifecycle`
touches.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo.lifecycle import Report, advance, create
from kehu.errors import KehuError
from kehu.settings import SYSTEMS, Settings, load

_EPILOG = """\
examples:
  python -m demo create                                   5,000 customers in SQLite files
  python -m demo create --customers 1000000 --force       replace them by a million
  python -m demo create --url-billing 'postgresql://me@127.0.0.1:5432/erp?schema=billing'
  python -m demo advance --days 7                         a week passes

The databases are written to the URLs of the settings (KEHU_BILLING_URL, KEHU_HIS_URL,
KEHU_ORDERS_URL, KEHU_SERVICE_URL), by default to SQLite files in $KEHU_HOME/sources. Who is who is
written to $KEHU_HOME/sources/truth, never into the databases. All people and firms are invented.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="The embedded source systems: four databases with one invented population.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="create | advance")
    making = commands.add_parser("create", help="write the four source systems")
    making.add_argument(
        "--customers", type=int, default=5_000, help="persons and organisations (default: 5000)"
    )
    making.add_argument("--seed", type=int, default=7, help="one seed, one result (default: 7)")
    making.add_argument(
        "--day",
        type=date.fromisoformat,
        default=date(2026, 1, 31),
        help="the day the history ends and the demo starts (default: 2026-01-31)",
    )
    making.add_argument(
        "--force", action="store_true", help="replace sources of the demo that are there already"
    )
    moving = commands.add_parser("advance", help="let days pass: new, changed, late, deleted rows")
    moving.add_argument("--days", type=int, default=1, help="how many days (default: 1)")
    for command in (making, moving):
        for system in SYSTEMS:
            command.add_argument(
                f"--url-{system}", metavar="URL", help=f"where {system} is, instead of the setting"
            )
    return parser


def _run(arguments: argparse.Namespace, settings: Settings, console: Console) -> Report:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("laying out the population")
        written = 0

        def tell(system: str, table: str, rows: int) -> None:
            nonlocal written
            written += rows
            bar.update(task, description=f"{system}.{table}: {written:,} rows so far")

        if arguments.command == "create":
            return create(
                settings,
                customers=arguments.customers,
                seed=arguments.seed,
                day=arguments.day,
                force=arguments.force,
                progress=tell,
            )
        return advance(settings, days=arguments.days, progress=tell)


def _show(report: Report, settings: Settings, console: Console) -> None:
    state = report.state
    world = f"{state.customers:,} customers, seed {state.seed}, clock at {state.today}"
    if report.skipped:
        console.print(f"The embedded sources are there already ({world}); nothing to do.")
        return
    table = Table(title=f"Embedded sources: {world}", title_justify="left")
    table.add_column("table")
    for heading in ("new", "changed", "late", "deleted", "planted"):
        table.add_column(heading, justify="right")
    for name, tally in sorted(report.tables.items()):
        numbers = (tally.new, tally.changed, tally.late, tally.deleted, tally.spoilt.total())
        if any(numbers):
            table.add_row(name, *(f"{value:,}" for value in numbers))
    console.print(table)
    total = sum(tally.new + tally.changed for tally in report.tables.values())
    console.print(
        f"{total:,} rows in {report.seconds:.1f} s; truth in {settings.demo_sources}/truth"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    console, errors = Console(), Console(stderr=True)
    try:
        settings = load()
        named = {s: url for s in SYSTEMS if (url := getattr(options, f"url_{s}"))}
        settings = replace(settings, source_urls={**settings.source_urls, **named})
        _show(_run(options, settings, console), settings, console)
    except KehuError as error:
        errors.print(str(error), style="red", markup=False, highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
