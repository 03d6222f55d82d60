"""Drift: where a source table differs from its contract, found before a row is read.

In: an open snapshot and contracts. Out: `Difference`s; `DriftError` for those that stop a run.
Touches: asks the source for its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extract.connectors.base import Snapshot
from extract.contract import Contract
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
        elif not snapshot.holds(present[name], column):
            found.append(
                Difference(
                    contract,
                    "changed type",
                    name,
                    f"column {name} of {contract.name} is {present[name] or 'without type'}, "
                    f"which cannot give {column.physical_type} unchanged",
                    True,
                    "change the type back, or agree on a new version of the contract",
                )
            )
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


def check(snapshot: Snapshot, contracts: Sequence[Contract]) -> dict[str, list[str]]:
    """New columns by table name; raises `DriftError` naming everything that stops the run."""
    found = [item for contract in contracts for item in differences(snapshot, contract)]
    stopping = [item for item in found if item.stops]
    if stopping:
        raise DriftError(
            _sentence([item.detail for item in stopping]),
            where=f"{snapshot.where}, "
            f"table {', '.join(dict.fromkeys(item.contract.table for item in stopping))}",
            do="; ".join(dict.fromkeys(item.do for item in stopping)),
        )
    return {
        contract.table: [
            str(item.column) for item in found if item.contract is contract and item.column
        ]
        for contract in contracts
    }


def _sentence(details: Iterable[str]) -> str:
    text = "; ".join(details)
    return f"The source does not hold what its contract says: {text}."
