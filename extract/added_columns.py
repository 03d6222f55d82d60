"""New columns of a source that a contract takes over by its policy (`drift: newColumn: add`).

In: a contract, the new columns with their types. Out: the contract with the columns it can read;
`<home>/added-columns/<system>/<table>.yaml`. Touches that file.

The file is read as part of the contract from then on (`contract.read_all`), so the gate, the raw
table and a later run know the column. It may be empty, is empty in rows that were read before, and
bears the most closed privacy class until the contract itself describes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

import yaml

from extract import source_types
from extract.connectors.base import Snapshot
from extract.contract import Column, Contract, added_column, added_file
from extract.disk import hidden_beside, make_private
from kehu.settings import ADDED_COLUMNS, Settings

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


def take_over(
    settings: Settings, snapshot: Snapshot, contract: Contract, new: Mapping[str, str]
) -> Contract:
    """The contract with those of the `new` columns (name in the source, type) that can be read.

    A column is left, and only reported, when its type is none that a contract knows, or its name
    would clash.
    """
    taken = {*contract.passed_schema.names}
    columns = []
    for physical_name, source_type in new.items():
        name, kind = physical_name.lower(), source_types.carrier(source_type)
        if kind is None or name in taken or not _NAME.match(name):
            continue
        column = added_column(name, physical_name, kind)
        if snapshot.holds(source_type, column):
            columns.append(column)
            taken.add(name)
    if not columns:
        return contract
    longer = replace(contract, columns=(*contract.columns, *columns))
    _write(settings, contract, [column for column in longer.columns if column.added])
    return longer


def _write(settings: Settings, contract: Contract, columns: list[Column]) -> None:
    path = added_file(settings.home / ADDED_COLUMNS, contract)
    make_private(path.parent)
    told = [
        {"name": c.name, "physical_name": c.physical_name, "physical_type": c.physical_type}
        for c in columns
    ]
    hidden = hidden_beside(path)
    with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"# Columns of {contract.name} that its contract does not describe yet.\n")
        yaml.safe_dump(told, file, sort_keys=False, allow_unicode=True)
    hidden.replace(path)
