"""The whole suite of a table: what its contract promises, then the rules by hand of its system.

In: a contract. Out: expectations, each with its name in `meta["rule"]`. A system without a module
of its own has structural rules only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from expectations.suites import across, beside, billing, his, orders, service, steward, structural
from extract.contract import Contract

_ALONE = beside.Surroundings()
BY_HAND: Mapping[str, Callable[[str], list[Any]]] = {
    "billing": billing.rules,
    "his": his.rules,
    "orders": orders.rules,
    "service": service.rules,
    "steward": steward.rules,
}


def rules(
    contract: Contract,
    cast_errors: Collection[str] = (),
    around: beside.Surroundings = _ALONE,
) -> list[Any]:
    """Structural rules, then business rules; `cast_errors` as in `structural.rules`.

    `around`: without it, the rules that need nothing but the batch itself.
    """
    by_hand = BY_HAND.get(contract.system)
    return [
        *structural.rules(contract, cast_errors),
        *(by_hand(contract.table) if by_hand else ()),
        *across.rules(contract.name, around.rows),
        *beside.rules(contract, around),
    ]
