"""Command line of the second stage: validate batches, replay quarantined rows, list rules.

In: arguments and `KEHU_*`. Out: tables on the terminal; counts and rule names, never a cell.
Touches: what `gate` and `replay` touch; `rules` writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console, JustifyMethod
from rich.table import Table

from expectations import gate, replay
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
    from expectations.suites import of_table

    return [
        (name_of(rule), str(rule.severity.value), rule.description or "from the contract")
        for rule in of_table.rules(contract)
    ]


if __name__ == "__main__":
    sys.exit(main())
