"""Contracts by name, and the gate with room for planted rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from expectations import gate
from extract.contract import Contract, read_all
from extract.landing import Batch, Verdict
from kehu.settings import Settings, load


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return {contract.name: contract for contract in read_all(load().contract_dirs)}


@pytest.fixture
def judge(settings: Settings) -> Callable[[Batch, Contract], Verdict]:
    """Validate with a threshold that planted rows do not reach."""

    def run(batch: Batch, contract: Contract) -> Verdict:
        return gate.validate(batch, replace(contract, max_quarantine_share=1.0), settings)

    return run
