"""Command line of the second stage: validate batches, replay quarantined rows, list rules.

In: arguments and `KEHU_*`. Out: tables on the terminal; counts and rule names, never a cell.
Touches: what `gate` and `replay` touch; `rules` writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, JustifyMethod
from rich.table import Table

from expectations import data_docs, gate, replay, waiting
from extract.contract import Contract, read_all
from extract.landing import Batch, Verdict
from kehu import settings as kehu_settings
from kehu.errors import KehuError, ValidationError
from kehu.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked and all passed, 2 when a person has to act."""
    given = _parser().parse_args(arguments)
    settings = kehu_settings.load()
    try:
        if given.command == "rules":
            return _rules(settings, given.table)
        if given.command == "docs":
            print(data_docs.build(settings))
            return 0
        if given.command == "quarantine":
            return _quarantine(settings, given.table, show_rows=given.rows)
        if given.command == "replay":
            return _replay(settings, given.table, given.batch)
        return _validate(settings, given.addresses)
    except KehuError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m expectations", description="Landing to pass or quarantine."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    validate = commands.add_parser("validate", help="check landed batches and write their verdicts")
    validate.add_argument(
        "addresses", nargs="+", metavar="BATCH", help="<system>/<table>/dt=<day>/batch=<id>"
    )
    again = commands.add_parser("replay", help="check quarantined rows again, as new batches")
    again.add_argument("table", metavar="SYSTEM.TABLE")
    again.add_argument("--batch", metavar="ID", help="only of this batch; default: all waiting")
    held = commands.add_parser("quarantine", help="rows that wait, by rule and batch")
    held.add_argument("table", nargs="?", metavar="SYSTEM.TABLE", help="default: every table")
    held.add_argument(
        "--rows", action="store_true", help="the rows themselves (restricted: a terminal only)"
    )
    commands.add_parser("docs", help="write the pages of Data Docs about the last validations")
    rules = commands.add_parser("rules", help="list the rules, with what breaking them costs")
    rules.add_argument("table", nargs="?", metavar="SYSTEM.TABLE", help="default: every table")
    return parser


def _validate(settings: Settings, addresses: Sequence[str]) -> int:
    batches = [Batch.at(settings.landing, address) for address in addresses]
    verdicts = gate.validate_all(batches, settings)
    _show(verdicts)
    gate.require_passed(verdicts)
    return 0


def _replay(settings: Settings, name: str, batch_id: str | None) -> int:
    system, _, table = name.partition(".")
    if not (system and table):
        raise ValidationError(
            "This is no table.", where=name, do="give <system>.<table>, such as billing.bills"
        )
    replayed = replay.replay(system, table, settings, batch_id)
    _show([verdict for _, verdict in replayed])
    for batch, _ in replayed:
        print(batch.address)
    return 0


def _quarantine(settings: Settings, name: str | None, *, show_rows: bool) -> int:
    if show_rows and not (name and sys.stdout.isatty()):
        raise ValidationError(
            "Rows are shown of one table, on a terminal: output that is redirected may be read "
            "outside the restricted zone.",
            where=str(name or "every table"),
            do="name a table and call it on a terminal; or open quarantine.parquet of the batch",
        )
    found = list(waiting.waiting(settings, name))
    table = Table(title="rows in quarantine", title_justify="left")
    for column in ("table", "batch", "rule", "reason", "rows", "state"):
        table.add_column(column, justify="right" if column == "rows" else "left", overflow="fold")
    for held in found:
        for rule, rows in held.reasons.items():
            state = "replayed" if held.replayed else "waits"
            why = held.why.get(rule, "")
            table.add_row(held.table, held.batch.batch_id, rule, why, f"{rows:,}", state)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    print(f"{sum(held.rows for held in found if not held.replayed):,} rows wait")
    if show_rows:
        for held in found:
            for row in waiting.rows(held):
                print(f"{held.batch.address}: {row}")
    return 0


def _show(verdicts: Sequence[Verdict]) -> None:
    table = Table(title="validated", title_justify="left")
    for name in ("table", "landed", "passed", "quarantined", "reasons", "warnings", "seconds"):
        is_text = name in ("table", "reasons", "warnings")
        justify: JustifyMethod = "left" if is_text else "right"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=name == "table")
    for verdict in verdicts:
        table.add_row(
            f"{verdict.system}.{verdict.table}" + ("" if verdict.passed else " [red]refused[/red]"),
            f"{verdict.landed_rows:,}",
            f"{verdict.passed_rows:,}",
            f"{verdict.quarantined_rows:,}",
            _counts(verdict.reasons),
            _counts(verdict.warnings),
            f"{verdict.seconds:.2f}",
        )
    Console().print(table)


def _counts(rows_by_rule: dict[str, int]) -> str:
    return "\n".join(f"{rule} {rows:,}" for rule, rows in rows_by_rule.items())


def _rules(settings: Settings, name: str | None) -> int:
    contracts = [c for c in read_all(settings.contract_dirs) if name in (None, c.name)]
    if not contracts:
        raise ValidationError(
            "No contract describes this table.",
            where=str(name),
            do="give <system>.<table>; `python -m extract contracts` lists them",
        )
    table = Table(title="rules", title_justify="left")
    for column in ("table", "rule", "severity", "what it says"):
        table.add_column(column, overflow="fold", no_wrap=column != "what it says")
    for contract in contracts:
        for rule in _rules_of(contract):
            table.add_row(contract.name, *rule)
        table.add_section()
    Console().print(table)
    return 0


def _rules_of(contract: Contract) -> list[tuple[str, str, str]]:
    # Great Expectations takes seconds to import: not for the other commands' messages.
    from expectations.engine import name_of
    from expectations.suites import across, of_table
    from expectations.suites.beside import Surroundings

    others = {str(c.references).rpartition(".")[0] for c in contract.columns if c.references}
    around = Surroundings(
        keys=dict.fromkeys(others, "keys"),
        rows={each.other: "rows" for each in across.RULES.get(contract.name, ())},
        size_before=1,
        latest=datetime.fromisoformat("9999-12-31"),
        day_end=datetime.fromisoformat("9999-12-31"),
    )
    return [
        (name_of(rule), str(rule.severity.value), rule.description or "from the contract")
        for rule in of_table.rules(contract, around=around)
    ]


if __name__ == "__main__":
    sys.exit(main())
