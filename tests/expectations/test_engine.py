"""The engine under the suites: what a rule costs, and what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from expectations.engine import CRITICAL, ROW_NUMBER, Engine, ExpectQueryToReturnNoRows

ROWS = f"select range as cell, range + 1 as {ROW_NUMBER} from range(5)"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


def rule(condition: str) -> ExpectQueryToReturnNoRows:
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=f"select {ROW_NUMBER} from {{batch}} where {condition}",
        severity=CRITICAL,
        meta={"rule": "planted"},
    )


def test_a_rule_that_nothing_breaks_reads_the_rows_once(engine: Engine) -> None:
    engine.execute("create sequence reads")

    assert engine.check(ROWS, [rule("nextval('reads') < 0")], "here") == []

    assert engine.fetch("select currval('reads') as reads").to_pylist() == [{"reads": 5}]


def test_a_broken_rule_names_its_rows_and_no_cell_enters_the_result(engine: Engine) -> None:
    (finding,) = engine.check(ROWS, [rule("cell in (1, 3)")], "here")

    assert finding.rule == "planted"
    assert finding.rows is not None
    assert finding.rows.to_pylist() == [2, 4]
    assert "unexpected_rows" not in str(engine.result["results"][0]["result"])
