"""Drift: where a source table differs from its contract, found before a row is read.

In: an open snapshot and contracts. Out: `Difference`s; `DriftError` for those that stop a run.
Touches: asks the source for its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extract import source_types
from extract.connectors.base import Snapshot
from extract.contract import Column, Contract
from kehu.errors import DriftError


@dataclass(frozen=True)
class Difference:
    """One difference. `column` is None for the table itself; `stops` by the contract."""

    contract: Contract
    kind: str
    column: str | None
    detail: str
    stops: bool
    do: str


def differences(snapshot: Snapshot, contract: Contract) -> list[Difference]:
    """All differences of one table. Columns that the contract leaves out are none."""
    present = snapshot.columns(contract)
    if present is None:
        thing = "table"
        if contract.file:
            thing = f"file {contract.file.path}"
        elif contract.api:
            thing = f"path {contract.api.path}"
        return [
            Difference(
                contract,
                "missing table",
                None,
                f"the {thing} of {contract.name} is missing",
                True,
                "give the table back or let the source's user see it; a table that is gone for "
                f"good takes its contract with it ({contract.path.name})",
            )
        ]
    found = []
    for column in contract.columns:
        name = column.physical_name
        if name not in present:
            found.append(
                Difference(
                    contract,
                    "removed column",
                    name,
                    f"column {name} of {contract.name} is missing",
                    True,
                    "give the column back, or agree on a new version of the contract without it",
                )
            )
        else:
            found += _of_type(snapshot, contract, column, present[name])
    found += [
        Difference(
            contract,
            "added column",
            column.physical_name,
            f"column {column.physical_name} of {contract.name} was added by policy, as "
            f"{column.physical_type}",
            False,
            f"describe it in {contract.path.name} with its type and privacy class, or leave it out",
        )
        for column in contract.columns
        if column.added
    ]
    known = {column.physical_name for column in contract.columns} | set(contract.left_out)
    found += [
        Difference(
            contract,
            "new column",
            name,
            f"column {name} of {contract.name} is not in the contract",
            contract.drift.new_column == "stop",
            "add it to the contract with a type and a privacy class, or to leftOut with the reason",
        )
        for name in present
        if name not in known
    ]
    return found


def _of_type(
    snapshot: Snapshot, contract: Contract, column: Column, source_type: str
) -> Iterable[Difference]:
    """How the type of a column differs, if it does, and what the contract's policy says to it.

    A run that reads on quarantines each cell that does not fit; but of what a row is known by, and
    of money, whose sums the source must give, no other kind of type can be read.
    """
    relation, policy = source_types.compared(source_type, column), contract.drift
    if snapshot.holds(source_type, column):
        if relation != "wider":
            return
    elif relation == "wider":  # in digits, but of another kind: 12.50 is no whole number
        relation = None
    decides = column.primary_key or column.name in (contract.cursor, *contract.money)
    shown = source_type or "without type"
    kind, verb = {
        "wider": ("widened type", "is wider than"),
        "narrower": ("narrowed type", "is narrower than"),
    }.get(str(relation), ("changed type", "cannot give"))
    stops = {
        "widened type": policy.widened_type == "stop",
        "narrowed type": policy.narrowed_type == "stop",
        "changed type": policy.changed_type == "stop" or decides,
    }[kind]
    unchanged = " unchanged" if kind == "changed type" else ""
    yield Difference(
        contract,
        kind,
        column.physical_name,
        f"column {column.physical_name} of {contract.name} is {shown}, which {verb} "
        f"{column.physical_type}{unchanged}",
        stops,
        "change the type back, or agree on a new version of the contract"
        + ("" if stops else "; cells that do not fit are quarantined"),
    )


def check(snapshot: Snapshot, contracts: Sequence[Contract]) -> list[Difference]:
    """Differences that let the run go on; raises `DriftError` naming everything that stops it."""
    found = [item for contract in contracts for item in differences(snapshot, contract)]
    stopping = [item for item in found if item.stops]
    if stopping:
        raise DriftError(
            _sentence([item.detail for item in stopping]),
            where=f"{snapshot.where}, "
            f"table {', '.join(dict.fromkeys(item.contract.table for item in stopping))}",
            do="; ".join(dict.fromkeys(item.do for item in stopping)),
        )
    return found


def _sentence(details: Iterable[str]) -> str:
    text = "; ".join(details)
    return f"The source does not hold what its contract says: {text}."
