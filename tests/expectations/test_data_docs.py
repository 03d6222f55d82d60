"""Data Docs: pages that need no network and hold no value; and what waits in quarantine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations import __main__ as command
from expectations import data_docs
from extract.contract import Contract
from extract.landing import Batch, Verdict
from kehu.errors import ValidationError
from kehu.settings import Settings
from tests.expectations.landed import land, sound_rows

Judge = Callable[[Batch, Contract], Verdict]
CANARY = "canary-8813"


@pytest.fixture
def judged(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> tuple[Batch, Verdict]:
    """Payments with canaries in broken cells, in a cell of the wrong type, and in sound cells."""
    contract = contracts["billing.payments"]
    rows = sound_rows(contract, 30)
    for position in (1, 2, 3):
        rows[position]["channel"] = CANARY
    rows[4]["account_no"] = CANARY
    rows[5]["payment_no"] = rows[6]["payment_no"] = CANARY
    rows[6]["account_no"] = CANARY
    rows[7]["amount"] = None
    batch = land(contract, rows, settings, cast_errors={7: {"amount": CANARY}})
    return batch, judge(batch, contract)


def texts(settings: Settings) -> dict[str, str]:
    folder = data_docs.folder(settings)
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")}


def test_pages_tell_rules_and_counts_and_hold_no_value(
    judged: tuple[Batch, Verdict], settings: Settings
) -> None:
    batch, verdict = judged
    assert verdict.reasons == {
        "amount:type": 1,
        "channel:in_set": 3,
        "key:unique": 2,
    }
    index = data_docs.build(settings)
    found = texts(settings)
    assert set(found) == {"index.html", "billing.payments.html", "results/billing.payments.json"}
    for name, text in found.items():
        assert CANARY not in text, name
        assert not re.search(r"(?:src|href)=[\"']?https?:|url\(\s*['\"]?https?:", text), name
        assert "<script" not in text
    page = found["billing.payments.html"]
    assert str(batch.address) in page
    assert "channel" in page
    assert "10" in page, "3 of 30 rows are 10 %"
    assert "billing.payments" in index.read_text()
    assert index.stat().st_mode & 0o777 == 0o600


def test_only_the_tables_named_are_written_again(
    judged: tuple[Batch, Verdict], settings: Settings, contracts: dict[str, Contract], judge: Judge
) -> None:
    data_docs.build(settings)
    page = data_docs.folder(settings) / "billing.payments.html"
    page.write_text("kept")
    contract = contracts["billing.accounts"]
    judge(land(contract, sound_rows(contract, 3), settings), contract)
    data_docs.build(settings, {"billing.accounts"})
    assert page.read_text() == "kept"
    assert "billing.accounts" in (data_docs.folder(settings) / "index.html").read_text()


def test_without_validation_there_are_no_docs(settings: Settings) -> None:
    with pytest.raises(ValidationError, match="No table was validated"):
        data_docs.build(settings)


def test_the_commands_show_counts_and_rows_only_on_a_terminal(
    judged: tuple[Batch, Verdict],
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert command.main(["docs"]) == 0
    assert Path(capsys.readouterr().out.strip()).name == "index.html"
    assert command.main(["quarantine", "billing.payments"]) == 0
    shown = capsys.readouterr().out
    assert "channel:in_set" in shown
    assert "contract lists the values" in " ".join(shown.replace("│", " ").split())
    assert "6 rows wait" in shown
    assert CANARY not in shown
    assert command.main(["quarantine", "billing.payments", "--rows"]) == 2
    assert CANARY not in capsys.readouterr().out
    assert command.main(["quarantine", "billing.nothing"]) == 2
    assert "Nothing of that table" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert command.main(["quarantine", "billing.payments", "--rows"]) == 0
    assert CANARY in capsys.readouterr().out
