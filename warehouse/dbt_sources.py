"""dbt's source files, derived from the contracts.

In: contracts. Out: the text of `models/staging/<system>/_<system>__sources.yml`. Touches that file
only when asked to write. dbt never imports Python, so the files are committed; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from extract.contract import Contract
from warehouse.ddl import raw_tables

_HEAD = (
    "# Written from the data contracts by `python -m warehouse sources --write`: change a contract,"
    "\n# not this file.\n"
)


def texts(contracts: Iterable[Contract]) -> dict[str, str]:
    """YAML per system."""
    ordered = sorted(contracts, key=lambda contract: contract.name)
    return {
        system: _text(system, list(tables))
        for system, tables in groupby(ordered, key=lambda contract: contract.system)
    }


def path(project: Path, system: str) -> Path:
    """Where dbt reads the sources of `system`."""
    return project / "models" / "staging" / system / f"_{system}__sources.yml"


def write(contracts: Iterable[Contract], project: Path) -> list[Path]:
    """Write the file of every system; gives the paths."""
    written = []
    for system, text in texts(contracts).items():
        target = path(project, system)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def differences(contracts: Iterable[Contract], project: Path) -> list[Path]:
    """Files that are missing or are not what the contracts say."""
    return [
        target
        for system, text in texts(contracts).items()
        if not (target := path(project, system)).is_file()
        or target.read_text(encoding="utf-8") != text
    ]


def _text(system: str, contracts: list[Contract]) -> str:
    source = {
        "name": system,
        "schema": "raw",
        "description": f"What the source system {system} delivered, every version, as loaded.",
        "tables": [_table(contract) for contract in contracts],
    }
    body = yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=100
    )
    return _HEAD + body


def _table(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.table,
        "identifier": contract.raw_table,
        "description": " ".join(part for part in (contract.description, contract.grain) if part),
        "config": {"meta": {"timezone": contract.timezone}},
        "columns": [
            {
                "name": column.name,
                "description": column.description,
                "data_type": column.sql_type,
                "config": {"meta": {"classification": column.classification}},
            }
            for column in raw_tables.columns(contract)
        ],
    }
