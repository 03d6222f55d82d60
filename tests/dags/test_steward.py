"""People's decisions: landed by command, judged and loaded before a build, each once, kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dags.blocks.steward import load_decisions
from extract import landing
from kehu.errors import LandingError, WarehouseError
from kehu.settings import CLONE, Settings
from tests.warehouse.landed import FIRST_DAY, PAYMENTS, land, payment, settings_at
from warehouse import connection, decide, hashes, raw, rebuild
from warehouse.__main__ import main
from warehouse.decide import Record

A, B, C = Record("billing", "A0001"), Record("his", "P000001"), Record("orders", "C00001")
START = datetime(2026, 2, 3, 9, tzinfo=UTC)
VERSIONS = """
    select decision_id, decision, left_source_system, right_source_record_id, decided_by,
        _is_current, _is_deleted
    from raw.steward__identity_decisions order by decided_at
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse that stands at 31 January; two contracts only, so that it is quick."""
    monkeypatch.setenv("KEHU_HASH_KEY", "k" * 32)
    folder = tmp_path / "contracts"
    for name in ("billing/payments.yaml", "steward/identity_decisions.yaml"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(CLONE / "extract" / "contracts" / name, folder / name)
    monkeypatch.setenv("KEHU_CONTRACTS", str(folder))
    made = replace(settings_at(tmp_path / "home"), contract_dirs=(folder,))
    raw.load_all([land(made, PAYMENTS, [payment(1)])], made, "r0")
    return made


def say(settings: Settings, decision: str, *pair: Record, minute: int = 0) -> landing.Batch:
    first, second = pair
    at = START + timedelta(minutes=minute)
    return decide.decide(settings, decision, (first, second), reason="seen", by="eva", at=at)


def versions(settings: Settings) -> list[tuple[object, ...]]:
    with connection.read(settings) as con:
        return con.execute(VERSIONS).fetchall()


def test_the_latest_word_about_a_pair_stands_and_every_word_is_kept(settings: Settings) -> None:
    pair = decide.decision_id(A, B)
    say(settings, "must_link", A, B)
    assert load_decisions(settings, "r1") == 1
    assert load_decisions(settings, "r2") == 0
    say(settings, "must_not_link", B, A, minute=1)  # whichever is named first
    say(settings, "must_link", A, C, minute=2)
    assert load_decisions(settings, "r3") == 2
    say(settings, "withdrawn", A, B, minute=3)
    assert load_decisions(settings, "r4") == 1

    assert versions(settings) == [
        (pair, "must_link", "billing", "P000001", "eva", False, False),
        (pair, "must_not_link", "billing", "P000001", "eva", False, False),
        (decide.decision_id(C, A), "must_link", "billing", "C00001", "eva", True, False),
        (pair, "withdrawn", "billing", "P000001", "eva", True, True),
    ]
    assert raw.as_of(settings) == FIRST_DAY, "a decision moves no as-of date"


def test_late_words_do_not_outrank_later_ones(settings: Settings) -> None:
    later = say(settings, "must_link", A, B, minute=5)
    load_decisions(settings, "r1")
    say(settings, "must_not_link", A, B, minute=1)
    load_decisions(settings, "r2")
    (current,) = [row for row in versions(settings) if row[5]]
    assert current[1] == "must_link"
    assert later.day == FIRST_DAY


def test_a_rebuild_has_them_again(settings: Settings) -> None:
    say(settings, "must_link", A, B)
    say(settings, "must_not_link", A, B, minute=1)
    load_decisions(settings, "r1")
    before = hashes.table_hashes(settings.work_file)
    assert any("identity_decisions" in table for table in before)
    settings.work_file.unlink()
    rebuild.rebuild(settings)
    assert hashes.table_hashes(settings.work_file) == before


def test_a_damaged_decision_stops_the_build(settings: Settings) -> None:
    batch = say(settings, "must_link", A, B)
    batch.data.write_bytes(batch.data.read_bytes()[:-1] + b"x")
    with pytest.raises(LandingError, match="SHA-256"):
        load_decisions(settings, "r1")


@pytest.mark.parametrize(
    ("decision", "pair", "reason", "what"),
    [
        ("must_link", (A, A), "seen", "the same"),
        ("must_link", (A, B), "  ", "why"),
        ("link", (A, B), "seen", "none of must_link"),
    ],
)
def test_what_is_no_decision_never_lands(
    settings: Settings, decision: str, pair: tuple[Record, Record], reason: str, what: str
) -> None:
    with pytest.raises(WarehouseError, match=what):
        decide.decide(settings, decision, pair, reason=reason, by="eva")
    assert landing.batches(settings.landing, "steward") == []


def test_the_gate_holds_back_what_no_command_wrote(settings: Settings) -> None:
    """A row that names its records in the other order would be a second decision of the pair."""
    left, right = C, A
    contract = decide._contract(settings)
    row = {
        "decision_id": decide.decision_id(left, right),
        "decision": "must_link",
        "left_source_system": left.system,
        "left_source_record_id": left.record_id,
        "right_source_system": right.system,
        "right_source_record_id": right.record_id,
        "reason": "seen",
        "decided_by": "eva",
        "decided_at": START.replace(tzinfo=None),
    }
    batch = decide._land(settings, contract, row, FIRST_DAY)
    load_decisions(settings, "r1")
    assert landing.read_verdict(batch).reasons == {
        "identity_decisions:id_is_of_the_pair": 1,
        "identity_decisions:two_records_in_order": 1,
    }
    assert versions(settings) == []


def test_the_command_refuses_records_that_no_reader_knows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    told = ["decide", "must_link", "his:P000001", "billing:A0001", "--reason", "same passport"]
    assert main(told) == 0
    assert "was not checked" in capsys.readouterr().out

    settings.published.mkdir()
    with duckdb.connect(str(settings.published_file)) as con:
        con.execute("create schema customer")
        con.execute(
            "create table customer.bridge_customer_records as"
            " select 'billing' as source_system, 'A0001' as source_record_id"
        )
    assert main(told) == 1
    refusal = capsys.readouterr().err
    assert "No published customer has his:P000001." in refusal
    assert main([*told, "--unknown"]) == 0
    assert main(["decide", "must_link", "P000001", "billing:A0001", "--reason", "x"]) == 1
    assert "<system>:<record id>" in capsys.readouterr().err
    assert len(landing.batches(settings.landing, "steward")) == 2
