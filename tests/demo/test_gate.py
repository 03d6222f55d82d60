"""The real gate refuses exactly what was planted, by the rule that was meant."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

from expectations.gate import validate_all
from extract.run import extract_system
from kehu.settings import SYSTEMS
from tests.demo.conftest import START, Sources


@pytest.mark.timeout(600)
def test_quarantine_is_what_was_planted(sources: Sources) -> None:
    path = sources.settings.demo_sources / "truth" / "planted.json"
    planted = json.loads(path.read_text())["tables"]
    found: dict[str, dict[str, int]] = {}
    for system in SYSTEMS:
        batches = extract_system(
            system, day=START, run_id="planted", watermarks={}, settings=sources.settings
        )
        for batch, verdict in zip(batches, validate_all(batches, sources.settings), strict=True):
            assert verdict.passed, f"{batch.system}.{batch.table}"
            refused = pq.read_table(batch.path / "quarantine.parquet").column("_reasons")
            if len(refused):
                found[f"{batch.system}.{batch.table}"] = dict(Counter(refused.to_pylist()))
    assert found == planted
