"""Holds: a source table that is suddenly empty or far larger keeps the marts from being built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from extract.landing import Batch
from kehu.errors import LandingError, WarehouseError
from kehu.settings import Settings
from tests.warehouse.landed import PAYMENTS, land, payment, settings_at
from warehouse import __main__ as commands
from warehouse import connection, raw, volume

TABLE = replace(PAYMENTS, deletes="none")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def sized(settings: Settings, *sizes: int) -> Batch:
    """Load a batch of one row per size of the whole source table; gives the last batch."""
    for number, size in enumerate(sizes):
        batch = land(settings, TABLE, [payment(number)], manifest={"table_rows": size})
        raw.load_batch(batch, TABLE, settings, "run-1")
    return batch


@pytest.mark.parametrize(
    ("sizes", "held"),
    [
        ((1000,), False),
        ((1000, 1000, 1200), False),
        ((1000, 0), True),
        ((1, 0), True),
        ((0, 0), False),
        ((1000, 99), True),
        ((1000, 100), False),
        ((1000, 9_999), False),
        ((1000, 10_000), True),
        # ten times a table of 20 rows says nothing: a share is taken of a hundred rows at least
        ((20, 400), False),
        ((20, 1_000), True),
        # ten times in two steps: the mean of the last loads is what tells
        ((1000, 1000, 1000, 1000, 4_000, 16_000), True),
        # a source that came back to its size needs no word of a person
        ((1000, 0, 1000), False),
        ((1000, 0, 0), True),
    ],
)
@pytest.mark.fault(34, "sizes around the bounds")
def test_the_size_decides(settings: Settings, sizes: tuple[int, ...], held: bool) -> None:
    sized(settings, *sizes)
    assert bool(volume.all_holds(settings)) == held


def test_a_hold_stops_the_build_and_says_what_to_do(settings: Settings) -> None:
    batch = sized(settings, 1000, 3000, 0)
    with pytest.raises(WarehouseError) as stopped:
        volume.require_accepted(settings)
    assert (
        "billing.payments has 0 rows in its source; before 3,000, mean of the last loads 2,000, "
        "allowed 300 to 20,000" in stopped.value.what
    )
    assert str(batch.address) in stopped.value.where
    assert f"confirm billing.payments {batch.batch_id} --reason" in stopped.value.do


def test_a_person_confirms_and_the_new_size_is_the_measure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    monkeypatch.setenv("KEHU_CONTRACTS", "extract/contracts")
    batch = sized(settings, 1000, 0)
    assert commands.main(["holds"]) == 2
    assert batch.batch_id in capsys.readouterr().out
    arguments = ["confirm", "billing.payments", batch.batch_id, "--by", "ann"]
    assert commands.main([*arguments, "--reason", " "]) == 1
    assert commands.main([*arguments, "--reason", "sold the branch"]) == 0
    assert commands.main(["holds"]) == 0
    volume.require_accepted(settings)
    with connection.read(settings) as con:
        assert con.execute("select confirmed_by, reason from ops.confirmations").fetchall() == [
            ("ann", "sold the branch")
        ]
    sized(settings, 0)
    volume.require_accepted(settings)


def test_a_confirmation_lies_in_landing_and_holds_for_a_new_warehouse(settings: Settings) -> None:
    batch = sized(settings, 1000, 0)
    volume.confirm_batch(settings, "billing.payments", batch.batch_id, "ann", "closed")
    settings.work_file.unlink()
    for each in sorted(settings.landing.glob("billing/payments/dt=*/batch=*")):
        address = each.relative_to(settings.landing)
        raw.load_batch(Batch.at(settings.landing, address), TABLE, settings, "again")
    volume.require_accepted(settings)


def test_an_unknown_batch_cannot_be_confirmed(settings: Settings) -> None:
    with pytest.raises(LandingError, match="No such batch"):
        volume.confirm_batch(settings, "billing.payments", "20260101T000000Z-0000", "ann", "why")
