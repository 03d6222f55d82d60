"""The gate: exactly the planted rows are held back, nothing is lost, no value leaves."""

from __future__ import annotations

import json
import random
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations import gate, identifiers, quarantine
from expectations.suites import of_table, structural
from extract import landing
from extract.contract import Contract
from extract.landing import Batch, Verdict
from kehu.errors import LandingError, ValidationError
from kehu.settings import Settings
from tests.expectations.landed import Row, land, land_table, passed, quarantined, sound_rows

Judge = Callable[[Batch, Contract], Verdict]
CANARY = "canary-7731"


def _reasons(batch: Batch) -> Counter[str]:
    return Counter(row["_reasons"] for row in quarantined(batch))


def test_each_structural_rule_holds_back_exactly_the_planted_rows(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["billing.payments"]
    rows = sound_rows(contract, 40)
    for position in (1, 2, 3):
        rows[position]["channel"] = None
    for position in (4, 5):
        rows[position]["channel"] = CANARY
    for position, amount in ((6, "0.00"), (7, "-1.00"), (8, "-0.01"), (9, "0.00")):
        rows[position]["amount"] = Decimal(amount)
    rows[10]["currency_code"] = "yuan"
    rows[11]["payment_no"] = None
    rows[12] |= {"channel": None, "currency_code": "yuan"}
    batch = land(contract, rows, settings)

    verdict = judge(batch, contract)

    assert verdict.reasons == {
        "amount:range": 4,
        "channel:in_set": 2,
        "channel:not_null": 4,
        "currency_code:pattern": 2,
        "payment_no:not_null": 1,
    }
    assert _reasons(batch) == {
        "amount:range": 4,
        "channel:in_set": 2,
        "channel:not_null": 3,
        "currency_code:pattern": 1,
        "payment_no:not_null": 1,
        "channel:not_null; currency_code:pattern": 1,
    }
    assert [row["_row_number"] for row in quarantined(batch)] == list(range(2, 14))
    assert verdict.passed_rows + verdict.quarantined_rows == verdict.landed_rows == 40


def test_inclusive_and_exclusive_bounds(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    answers = contracts["service.survey_answers"]
    rows = sound_rows(answers, 6)
    for row, score in zip(rows, (0, 1, 5, 6, 3, 3), strict=True):
        row["score"] = score
    assert judge(land(answers, rows, settings), answers).reasons == {"score:range": 2}


def test_rows_that_contradict_each_other_and_rows_that_repeat(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["orders.order_lines"]
    rows = sound_rows(contract, 6)
    same = dict(rows[0])
    contradicting = rows[1] | {"quantity": Decimal("7.00")}
    version = rows[2] | {"updated_at": rows[2]["updated_at"] + timedelta(seconds=1)}
    with_null = rows[3] | {"unit_cost": Decimal("3.0000")}
    batch = land(contract, [*rows, same, same, contradicting, version, with_null], settings)

    verdict = judge(batch, contract)

    assert verdict.reasons == {"key:unique": 4}
    assert [row["_row_number"] for row in quarantined(batch)] == [2, 4, 9, 11]
    assert len(passed(batch)) == 7


def test_snapshot_without_cursor_has_one_row_per_key(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["billing.subscriptions"]
    assert contract.is_snapshot
    rows = sound_rows(contract, 3)
    again = rows[0] | {"tenure_months": 99}
    verdict = judge(land(contract, [*rows, again], settings), contract)
    assert verdict.reasons == {"key:unique": 2}


def test_cells_that_did_not_fit_their_type(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["billing.bills"]
    rows = sound_rows(contract, 8)
    rows[1]["due_date"] = None
    rows[2] |= {"due_date": None, "kwh": None}
    rows[3] = dict.fromkeys(rows[3])
    rows[4]["due_date"] = None  # missing in the source, and said so
    rows[5] |= {"kwh": None, "period": "2026-13"}
    errors = {
        1: {"due_date": CANARY},
        2: {"due_date": CANARY, "kwh": "many"},
        3: {"_line": "a;b"},
        5: {"kwh": "many"},
    }
    batch = land(contract, rows, settings, cast_errors=errors)

    verdict = judge(batch, contract)

    assert _reasons(batch) == {
        "due_date:type": 1,
        "due_date:type; kwh:type": 1,
        "_line:type": 1,
        "due_date:not_null": 1,
        "kwh:type": 1,
    }
    assert CANARY in json.dumps(quarantined(batch), default=str)
    assert CANARY not in (batch.path / "verdict.json").read_text()
    assert verdict.quarantined_rows == 5
    assert pq.read_schema(batch.passed).equals(contract.passed_schema)


def test_threshold_of_the_contract(contracts: dict[str, Contract], settings: Settings) -> None:
    contract = replace(contracts["billing.payments"], max_quarantine_share=0.02)
    rows = sound_rows(contract, 150)
    for row in rows[:3]:
        row["channel"] = None
    at_limit = gate.validate(land(contract, rows, settings), contract, settings)
    assert at_limit.passed

    rows[3]["channel"] = None
    batch = land(contract, rows, settings)
    beyond = gate.validate(batch, contract, settings)
    assert not beyond.passed
    assert beyond.message == "4 of 150 rows were held back (2.67%); at most 3 may be."
    assert landing.read_verdict(batch) == beyond
    assert (len(passed(batch)), len(quarantined(batch))) == (146, 4)
    with pytest.raises(ValidationError, match=r"billing\.payments: 4 of 150 rows"):
        gate.require_passed([at_limit, beyond])
    gate.require_passed([at_limit])


def test_a_few_bad_rows_do_not_stop_a_quiet_day(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = replace(contracts["billing.payments"], max_quarantine_share=0.02)
    rows = sound_rows(contract, 9)
    rows[0]["channel"] = rows[1]["channel"] = None
    assert gate.validate(land(contract, rows, settings), contract, settings).passed
    rows[2]["channel"] = None
    refused = gate.validate(land(contract, rows, settings), contract, settings)
    assert refused.message == "3 of 9 rows were held back (33.33%); at most 2 may be."
    strict = replace(contract, max_quarantine_share=0.0)
    assert not gate.validate(land(strict, rows, settings), strict, settings).passed


def test_an_empty_batch_passes(contracts: dict[str, Contract], settings: Settings) -> None:
    contract = contracts["billing.payments"]
    verdict = gate.validate(land(contract, [], settings), contract, settings)
    assert (verdict.passed, verdict.landed_rows, verdict.passed_rows) == (True, 0, 0)


@pytest.mark.fault(37, "validation that breaks off")
def test_no_verdict_when_validation_breaks_off(
    contracts: dict[str, Contract], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = contracts["billing.payments"]
    batch = land(contract, sound_rows(contract, 3), settings)

    def crash(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"it quotes {CANARY}")

    with monkeypatch.context() as patched:
        patched.setattr("great_expectations.datasource.fluent.interfaces.Batch.validate", crash)
        with pytest.raises(ValidationError) as raised:
            gate.validate(batch, contract, settings)

    assert CANARY not in str(raised.value)
    assert raised.value.__cause__ is None
    assert not (batch.path / "verdict.json").exists()
    failure = batch.path / gate.FAILURE
    assert CANARY in failure.read_text()
    assert stat.S_IMODE(failure.stat().st_mode) == 0o600
    gate.validate(batch, contract, settings)
    assert not failure.exists()


def test_no_verdict_when_a_rule_cannot_be_checked(
    contracts: dict[str, Contract], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from expectations.suites.rows import wrong_when

    contract = contracts["billing.payments"]
    batch = land(contract, sound_rows(contract, 3), settings)
    bad_rule = wrong_when("payments:misspelt", "amuont > 0", "A rule about no column.")
    rules = [*of_table.rules(contract), bad_rule]
    monkeypatch.setattr(of_table, "rules", lambda *_: rules)

    with pytest.raises(ValidationError, match="payments:misspelt could not be checked"):
        gate.validate(batch, contract, settings)
    assert not (batch.path / "verdict.json").exists()


def test_great_expectations_decides(
    contracts: dict[str, Contract], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its rule the planted row passes: nothing but the suite holds rows back."""
    contract = contracts["billing.bills"]
    rows = sound_rows(contract, 30)
    rows[7]["due_date"] = rows[7]["issued_date"] - timedelta(days=1)
    with_rule = gate.validate(land(contract, rows, settings), contract, settings)
    assert with_rule.reasons == {"bills:due_not_before_issued": 1}

    monkeypatch.setitem(of_table.BY_HAND, "billing", lambda _: [])  # type: ignore[arg-type]
    without = gate.validate(land(contract, rows, settings), contract, settings)
    assert without.reasons == {}

    monkeypatch.setattr(structural, "_of_column", lambda *_: [])
    rows[8]["amount"] = None
    assert gate.validate(land(contract, rows, settings), contract, settings).reasons == {}


def test_no_cell_in_verdict_or_footer(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["billing.accounts"]
    rows = sound_rows(contract, 5)
    for row in rows:
        row |= {"holder_name": CANARY, "phone": "13912345679", "email": f"{CANARY}@example.com"}
    rows[1]["holder_kind"] = CANARY
    rows[2]["usage_category"] = CANARY
    batch = land(contract, rows, settings)

    verdict = judge(batch, contract)

    assert CANARY not in json.dumps(asdict(verdict))
    assert CANARY not in (batch.path / "verdict.json").read_text()
    for path in (batch.passed, batch.quarantine):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for name, statistics in _statistics(path).items():
            open_column = name == "_row_number" or (
                name in contract.arrow_schema.names
                and contract.column(name).classification in ("public", "internal")
                and contract.column(name).identifier is None
            )
            assert (statistics is not None) == open_column, name


def _statistics(path: Path) -> dict[str, object]:
    group = pq.read_metadata(path).row_group(0)
    columns = (group.column(index) for index in range(group.num_columns))
    return {column.path_in_schema: column.statistics for column in columns}


def test_pages_carry_checksums(contracts: dict[str, Contract], settings: Settings) -> None:
    """A flipped bit is told by the reader, not read as a value."""
    contract = contracts["billing.accounts"]
    batch = land(contract, sound_rows(contract, 500), settings)
    gate.validate(batch, contract, settings)
    content = bytearray(batch.passed.read_bytes())
    column = pq.read_metadata(batch.passed).row_group(0).column(0)
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    batch.passed.write_bytes(content)
    with pytest.raises(OSError, match="CRC checksum"):
        pq.read_table(batch.passed, page_checksum_verification=True)


def test_derived_columns_stand_beside_the_contract_s(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = contracts["billing.accounts"]
    rows = sound_rows(contract, 3)
    rows[0] |= {"holder_name": "張偉 先生", "phone": "139 1234 5679", "identity_no": "none"}
    rows[1] |= {"holder_name": "Smith, Dr. John", "email": "J.Smith@Example.COM"}
    batch = land(contract, rows, settings)
    gate.validate(batch, contract, settings)

    first, second, third = passed(batch)
    assert first["holder_name"] == "張偉 先生"
    assert (first["holder_name_norm"], first["holder_name_pinyin"]) == ("张伟", "zhang wei")
    assert first["phone_norm"] == "+8613912345679"
    assert first["phone_hash"] == identifiers.pseudonym(
        "+8613912345679", "phone", settings.hash_key()
    )
    assert (first["identity_no_norm"], first["identity_no_hash"]) == (None, None)
    assert second["holder_name_norm"] == second["holder_name_pinyin"] == "john smith"
    assert second["email_norm"] == "j.smith@example.com"
    assert (third["phone_norm"], third["phone_hash"]) == (None, None)
    assert landing.read_verdict(batch).hash_key_id == settings.hash_key_id


def test_files_that_changed_since_landing_are_refused(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = contracts["billing.payments"]
    batch = land(contract, sound_rows(contract, 3), settings)
    batch.data.write_bytes(batch.data.read_bytes()[:-1] + b"x")
    with pytest.raises(LandingError, match="SHA-256"):
        gate.validate(batch, contract, settings)
    assert not batch.passed.exists()


def test_a_file_without_a_column_of_the_contract_is_refused(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = contracts["billing.payments"]
    table = pa.Table.from_pylist(sound_rows(contract, 3), schema=contract.arrow_schema)
    as_text = table.set_column(
        table.schema.get_field_index("amount"), "amount", table.column("amount").cast(pa.string())
    )
    for wrong, named in ((table.drop_columns(["channel"]), "channel"), (as_text, "amount")):
        with pytest.raises(ValidationError, match=named):
            gate.validate(land_table(contract, wrong, settings), contract, settings)


def test_validating_again_changes_nothing(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    contract = contracts["billing.payments"]
    batch = land(contract, sound_rows(contract, 3), settings)
    first = gate.validate(batch, contract, settings)
    before = {path.name: path.stat().st_mtime_ns for path in batch.path.iterdir()}
    assert gate.validate(batch, contract, settings) == first
    assert {path.name: path.stat().st_mtime_ns for path in batch.path.iterdir()} == before

    batch.passed.unlink()
    assert gate.validate(batch, contract, settings).files == first.files
    other_key = replace(settings, hash_key_id="k2")
    assert gate.validate(batch, contract, other_key).hash_key_id == "k2"


def test_more_rows_than_one_piece(
    contracts: dict[str, Contract], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row numbers hold across pieces of the file; nothing is lost at their borders."""
    monkeypatch.setattr("expectations.quarantine._ROWS_AT_ONCE", 7)
    contract = replace(contracts["billing.payments"], max_quarantine_share=1.0)
    rows = sound_rows(contract, 50)
    planted = (0, 6, 7, 13, 14, 20, 49)
    for position in planted:
        rows[position]["channel"] = None
    batch = land(contract, rows, settings)
    verdict = gate.validate(batch, contract, settings)
    assert verdict.reasons == {"channel:not_null": len(planted)}
    assert [row["_row_number"] - 1 for row in quarantined(batch)] == list(planted)
    sound = [row["payment_no"] for i, row in enumerate(rows) if i not in planted]
    assert [row["payment_no"] for row in passed(batch)] == sound


def test_all_failing_rows_are_found_beyond_the_first_twenty(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["billing.payments"]
    rows: list[Row] = sound_rows(contract, 1000)
    for row in rows[:700]:
        row |= {"currency_code": "yuan", "settled_at": row["paid_at"] - timedelta(days=1)}
    verdict = judge(land(contract, rows, settings), contract)
    assert verdict.reasons == {
        "currency_code:pattern": 700,
        "payments:settled_not_before_paid": 700,
    }
    assert (verdict.quarantined_rows, verdict.passed_rows) == (700, 300)


def test_many_broken_rows_stay_in_the_order_of_the_file() -> None:
    numbers = sorted(random.Random(7).sample(range(1, 300_000), 40_000))
    once, twice = pa.array(numbers, pa.int64()), pa.array(numbers[::2], pa.int64())
    broken = quarantine.reasons_by_row([("late", once), ("early", twice)])
    assert broken.rows.to_pylist() == numbers
    assert broken.reasons.to_pylist() == ["early; late", "late"] * 20_000


def test_validate_all_finds_contracts_and_says_which_is_missing(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    names = ("billing.payments", "his.departments")
    batches = [land(contracts[n], sound_rows(contracts[n], 2), settings) for n in names]
    assert [v.table for v in gate.validate_all(batches, settings)] == ["payments", "departments"]
    stray = replace(batches[0], table="paymants")
    with pytest.raises(ValidationError, match=r"No contract describes billing\.paymants"):
        gate.validate_all([stray], settings)
