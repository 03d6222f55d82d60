"""`ingest_service`: extract, validate, load, one after the other; then its asset."""

from __future__ import annotations

from typing import Any

from tests.dags.conftest import Round
from tests.dags.rounds import assert_ingested, assert_planted, assert_shape


def test_shape(dags: dict[str, Any]) -> None:
    assert_shape(dags["ingest_service"], "service")


def test_every_table_adds_up(first_round: Round) -> None:
    assert_ingested(first_round, "service")


def test_bad_rows_are_in_quarantine_with_their_reason(first_round: Round) -> None:
    assert_planted(first_round, "service")
