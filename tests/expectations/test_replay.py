"""Replay and the command line: quarantined rows get a second chance as a batch of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from expectations import gate, replay
from expectations.__main__ import main
from expectations.suites import of_table
from extract import landing
from extract.contract import Contract
from extract.landing import Batch
from kehu.errors import ValidationError
from kehu.settings import Settings
from tests.expectations.landed import land, passed, quarantined, sound_rows


def _batch(contract: Contract, settings: Settings) -> Batch:
    rows = sound_rows(contract, 60)
    rows[3] |= {"amount": Decimal("5.25"), "settled_at": rows[3]["paid_at"] - timedelta(days=1)}
    rows[4]["channel"] = None
    batch = land(contract, rows, settings)
    assert gate.validate(batch, contract, settings).quarantined_rows == 2
    return batch


def test_what_a_corrected_suite_lets_pass_becomes_a_batch(
    contracts: dict[str, Contract], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = contracts["billing.payments"]
    origin = _batch(contract, settings)
    before = {path.name: path.read_bytes() for path in origin.path.iterdir()}
    monkeypatch.setitem(of_table.BY_HAND, "billing", lambda _: [])  # type: ignore[arg-type]

    ((again, verdict),) = replay.replay("billing", "payments", settings)

    assert again.path.parent == origin.path.parent
    manifest = landing.read_manifest(again)
    landing.verify(again, manifest.files)
    assert manifest.replay_of == str(origin.address)
    assert (manifest.source_rows, manifest.landed_rows) == (2, 2)
    assert manifest.control_sums == {"amount": "6.25"}
    assert (manifest.snapshot, manifest.source_keys, manifest.cursor_to) == (False, None, None)
    assert (verdict.passed, verdict.reasons) == (True, {"channel:not_null": 1})
    assert [row["payment_no"] for row in passed(again)] == ["payment_no-4"]
    assert [row["payment_no"] for row in quarantined(again)] == ["payment_no-5"]
    assert {path.name: path.read_bytes() for path in origin.path.iterdir()} == before

    # what is still held back waits in the new batch, not in both
    ((third, _),) = replay.replay("billing", "payments", settings)
    assert landing.read_manifest(third).replay_of == str(again.address)
    assert len(quarantined(third)) == 1


def test_cells_that_did_not_fit_stay_held_back(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = contracts["billing.bills"]
    rows = sound_rows(contract, 40)
    rows[2]["due_date"] = None
    batch = land(contract, rows, settings, cast_errors={2: {"due_date": "31.02."}})
    gate.validate(batch, contract, settings)
    ((again, verdict),) = replay.replay("billing", "bills", settings, batch.batch_id)
    assert verdict.reasons == {"due_date:type": 1}
    assert quarantined(again)[0]["_cast_errors"] == '{"due_date": "31.02."}'


def test_what_cannot_be_replayed_says_what_to_do(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = contracts["billing.payments"]
    with pytest.raises(ValidationError, match="no such batch"):
        replay.replay("billing", "payments", settings)
    sound = land(contract, sound_rows(contract, 2), settings)
    gate.validate(sound, contract, settings)
    with pytest.raises(ValidationError, match="No quarantined row waits"):
        replay.replay("billing", "payments", settings)
    with pytest.raises(ValidationError, match="has no quarantined row"):
        replay.replay("billing", "payments", settings, sound.batch_id)
    rows = sound_rows(contract, 8)
    for row in rows:
        row["channel"] = None
    refused = land(contract, rows, settings)
    assert not gate.validate(refused, contract, settings).passed
    with pytest.raises(ValidationError, match="validate the batch again"):
        replay.replay("billing", "payments", settings, refused.batch_id)


def test_of_a_table_without_cursor_only_the_newest_batch(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = replace(contracts["billing.subscriptions"], max_quarantine_share=1.0)
    batches = []
    for _ in range(2):
        rows = sound_rows(contract, 3)
        rows[0]["churned"] = "perhaps"
        batches.append(land(contract, rows, settings))
        gate.validate(batches[-1], contract, settings)
    with pytest.raises(ValidationError, match="a newer batch has its present rows"):
        replay.replay("billing", "subscriptions", settings, batches[0].batch_id)
    ((again, _),) = replay.replay("billing", "subscriptions", settings)
    assert landing.read_manifest(again).replay_of == str(batches[1].address)


def test_command_line(
    contracts: dict[str, Contract],
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    contract = contracts["billing.payments"]
    good = land(contract, sound_rows(contract, 3), settings)
    rows = sound_rows(contract, 8)
    for row in rows:
        row["channel"] = "canary-7731"
    bad = land(contract, rows, settings)

    assert main(["validate", str(good.address)]) == 0
    assert "billing.payments" in capsys.readouterr().out

    assert main(["validate", str(good.address), str(bad.address)]) == 2
    shown = capsys.readouterr()
    assert "channel:in_set" in shown.out
    assert "100.00%" in shown.err
    assert "canary" not in shown.out + shown.err

    assert main(["rules", "billing.payments"]) == 0
    listed = capsys.readouterr().out
    assert "channel:in_set" in listed
    assert "critical" in listed

    assert main(["rules", "billing.paymants"]) == 2
    assert main(["replay", "payments"]) == 2
    assert main(["validate", "no/address"]) == 2
    assert capsys.readouterr().err.count("  do:    ") == 3
