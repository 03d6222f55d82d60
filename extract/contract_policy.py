"""What a contract asks for beyond columns: how much may change before somebody has to look.

In: the custom properties of a contract. Out: frozen policies; what the contract does not say comes
from `contract_defaults.yaml`. Touches: reads that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEFAULTS = Path(__file__).parent / "contract_defaults.yaml"


@dataclass(frozen=True)
class Volume:
    """Bounds of a table's size: shares of its size before, and of the mean of its last `loads`."""

    least_share: float
    most_times: float
    loads: int


@dataclass(frozen=True)
class DriftPolicy:
    """What to do about each kind of difference between source and contract."""

    new_column: str
    widened_type: str
    narrowed_type: str
    changed_type: str


@dataclass(frozen=True)
class DeletedWhen:
    """The source marks a deleted row: the column, and its cells (as text) that say deleted."""

    column: str
    values: tuple[str, ...]


def with_defaults(custom: Mapping[str, Any]) -> dict[str, Any]:
    """The custom properties, completed by the defaults; mappings are completed entry by entry."""
    complete: dict[str, Any] = dict(custom)
    for name, value in _defaults().items():
        own = complete.get(name)
        complete[name] = value if own is None else own
        if isinstance(value, dict) and own:
            complete[name] = {**value, **own}
    return complete


@cache
def _defaults() -> Mapping[str, Any]:
    content: dict[str, Any] = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    return content


def volume(custom: Mapping[str, Any]) -> Volume:
    told = custom["volume"]
    return Volume(told["leastShare"], told["mostTimes"], told["loads"])


def drift(custom: Mapping[str, Any]) -> DriftPolicy:
    told = custom["drift"]
    return DriftPolicy(
        told["newColumn"], told["widenedType"], told["narrowedType"], told["changedType"]
    )


def deleted_when(custom: Mapping[str, Any]) -> DeletedWhen | None:
    told = custom.get("deletedWhen")
    return DeletedWhen(told["column"], tuple(told["values"])) if told else None
