"""A failed task tells what was written for people; the chain below it stays out of the logs."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from dags.blocks.messages import fit_for_logs
from kehu.errors import KehuError, WarehouseError
from kehu.settings import load

CELL = "310101199001011234"


def _database() -> None:
    raise ValueError(f"Conversion Error: Could not convert string '{CELL}' to INT32")


def test_the_chain_of_a_known_error_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    @fit_for_logs
    def load() -> None:
        try:
            _database()
        except ValueError as error:
            raise WarehouseError("It failed.", where="raw.t", do="look") from error

    with pytest.raises(WarehouseError) as raised:
        load()
    printed = "".join(traceback.format_exception(raised.value))
    assert "where: raw.t" in printed
    assert CELL not in printed + caplog.text
    assert "in _database" in caplog.text, "where it began is told"
    assert "ValueError" in caplog.text


def test_an_unexpected_error_tells_its_type_and_line(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KehuError) as raised:
        fit_for_logs(_database)()
    printed = "".join(traceback.format_exception(raised.value))
    assert "ValueError" in raised.value.what
    assert "tests/dags/test_messages.py, line " in raised.value.where
    assert CELL not in printed + caplog.text


def test_what_succeeds_is_untouched(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    @fit_for_logs
    def double(number: int) -> int:
        return 2 * number

    assert double(21) == 42
    assert double.__name__ == "double"
    assert caplog.text == ""


def test_failures_of_one_second_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A round names what failed since it began, not what failed just before."""
    from dags.blocks.defaults import record_failure
    from dags.round import failures

    monkeypatch.setenv("KEHU_HOME", str(tmp_path))
    for task in ("before", "after"):
        began = datetime.now(UTC)
        ti = SimpleNamespace(dag_id="publish_marts", task_id=task, run_id="r")
        record_failure({"ti": ti, "exception": WarehouseError("It failed.", where="x", do="y")})
    assert [told["task_id"] for told in failures(load(), since=began)] == ["after"]
