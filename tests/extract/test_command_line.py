"""`python -m extract`: what a person sees, and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from extract.__main__ import main
from kehu.settings import CLONE
from tests.extract.conftest import Source, Workplace, column, key


@pytest.fixture
def ready(sqlite_source: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A source with one table, its contract, and the environment that leads to both."""
    sqlite_source.run(
        "CREATE TABLE bills (bill_no TEXT PRIMARY KEY, updated_at TIMESTAMP, extra TEXT)",
        "INSERT INTO bills VALUES ('B1', '2026-01-30 10:00:00', '')",
    )
    columns = [key("bill_no"), column("updated_at", "timestamp")]
    place.contract("bills", columns, cursor="updated_at", deletes="key_compare")
    monkeypatch.setenv("KEHU_HOME", str(place.root / "home"))
    monkeypatch.setenv("KEHU_CONTRACTS", str(place.root / "contracts"))
    monkeypatch.setenv("KEHU_BILLING_URL", sqlite_source.url)
    return place


def test_extract_prints_counts_and_addresses(
    ready: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    watermarks = ready.root / "watermarks.json"
    watermarks.write_text(json.dumps({"bills": "2026-01-31T00:00:00"}), encoding="utf-8")

    assert main(["billing", "--day", "2026-01-31"]) == 0
    out = capsys.readouterr().out
    assert "all rows" in out
    assert "column extra of billing.bills is not in the contract" in out
    address = out.strip().splitlines()[-1]
    assert address.startswith("billing/bills/dt=2026-01-31/batch=")
    assert (ready.root / "home/landing" / address / "manifest.json").is_file()

    assert main(["billing", "--day", "2026-01-31", "--watermarks", str(watermarks)]) == 0
    assert "2026-01-31T00:00:00" in capsys.readouterr().out


def test_contracts_and_check(ready: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts"]) == 0
    out = capsys.readouterr().out
    assert "billing.bills" in out
    assert "2 internal" in out
    assert "key_compare" in out

    assert main(["check", "billing"]) == 0
    assert "column extra of billing.bills is not in the contract" in capsys.readouterr().out

    ready.contract("bills", [key("bill_no"), column("gone", "varchar")])
    assert main(["check", "billing"]) == 2
    out = capsys.readouterr().out
    assert "column gone of billing.bills is missing" in out

    assert main(["check", "his"]) == 2
    assert "No contract describes the system 'his'" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "[1]", '{"bills": "yesterday"}'])
def test_bad_watermarks_are_one_message(
    ready: Workplace, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = ready.root / "watermarks.json"
    if content:
        path.write_text(content, encoding="utf-8")

    assert main(["billing", "--day", "2026-01-31", "--watermarks", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_failure_is_one_message_without_traceback(ready: Workplace, tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    source.rename(tmp_path / "elsewhere.db")
    done = subprocess.run(
        [sys.executable, "-m", "extract", "billing", "--day", "2026-01-31"],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("error: The SQLite file does not exist.")
    assert str(source) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("oracle://u:s3cret@h/d", "No connector reads sources of the kind 'oracle'"),
        ("postgresql://u:s3cret@h:port/d", "The source URL cannot be read"),
    ],
)
def test_urls_that_lead_nowhere(
    ready: Workplace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    message: str,
) -> None:
    monkeypatch.setenv("KEHU_BILLING_URL", url)

    assert main(["billing", "--day", "2026-01-31"]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert "KEHU_BILLING_URL" in error
    assert "s3cret" not in error


def test_an_unreadable_contract_is_one_message(
    ready: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ready.root / "contracts/billing/bills.yaml"
    path.write_text("a: [", encoding="utf-8")

    assert main(["billing", "--day", "2026-01-31"]) == 2
    assert str(path) in capsys.readouterr().err
