"""With Spark, raw tables hold what decides and no more: the same loads give the same counts."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extract.landing import Batch
from kehu.errors import LandingError, WarehouseError
from kehu.settings import Settings
from tests.warehouse.landed import PAYMENTS, at, land, payment, settings_at
from warehouse import connection, raw
from warehouse.ddl import raw_tables

CONTRACT = replace(PAYMENTS, max_delete_share=1.0)
DECIDING = [column.name for column in raw_tables.columns(CONTRACT, payload=False)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(settings_at(tmp_path / "home"), engine="spark")


def _batches(settings: Settings, seed: int = 5) -> list[Batch]:
    """Six batches with changes, returns to an earlier content, repeats, bad and vanished rows."""
    chance = random.Random(seed)
    there, batches = set(range(30)), []
    for minute in range(6):
        rows = [
            payment(
                n,
                amount=f"{chance.randint(1, 3)}.00",
                minute=minute + chance.randint(-2, 2),
                paid_at=at(-n * 48 * 60),
            )
            for n in chance.sample(sorted(there), 12)
        ]
        rows += chance.sample(rows, 3)
        there -= set(chance.sample(sorted(there), 2))
        keys = [{"payment_no": f"P{n:06d}"} for n in sorted(there)]
        batches.append(
            land(settings, CONTRACT, rows, quarantined=[payment(90 + minute)], keys=keys)
        )
    return batches


def _load(settings: Settings, batches: list[Batch]) -> list[dict[str, Any]]:
    results = [raw.load_batch(batch, CONTRACT, settings, "run-1") for batch in batches]
    return [{**vars(result), "seconds": 0} for result in results]


def _rows(settings: Settings, columns: list[str]) -> list[tuple[Any, ...]]:
    listed = ", ".join(name for name in columns if name != "_loaded_at")
    with connection.read(settings) as con:
        return con.execute(f"select {listed} from raw.billing__payments order by all").fetchall()


def _restated(settings: Settings) -> list[tuple[Any, ...]]:
    """Months before the one of the batch that it changed."""
    with connection.read(settings) as con:
        return con.execute("select * from ops.restatements order by all").fetchall()


def _columns(settings: Settings) -> list[str]:
    with connection.read(settings) as con:
        found = con.execute("select * from raw.billing__payments limit 0").description
    return [column[0] for column in found]


def _on_duckdb(settings: Settings) -> Settings:
    """The same landing, another home for the working file."""
    home = settings.home.parent / "duckdb"
    home.mkdir()
    (home / "landing").symlink_to(settings.landing)
    return replace(settings, home=home, engine="duckdb")


def test_the_same_loads_decide_alike_with_and_without_the_rows(settings: Settings) -> None:
    batches = _batches(settings)
    other = _on_duckdb(settings)
    told = _load(settings, batches)
    assert told == _load(other, [replace(batch, root=other.landing) for batch in batches])
    assert sum(row["updated"] for row in told) > 5
    assert sum(row["deleted"] for row in told) > 3
    assert sum(row["duplicate"] for row in told) > 5
    assert _columns(settings) == DECIDING
    assert "channel" not in DECIDING
    assert _rows(settings, DECIDING) == _rows(other, DECIDING)
    assert _restated(settings) == _restated(other) != []


def test_back_on_duckdb_the_tables_have_their_rows_again(settings: Settings) -> None:
    batches = _batches(settings)
    other = _on_duckdb(settings)
    _load(settings, batches)
    _load(other, [replace(batch, root=other.landing) for batch in batches])
    back = replace(settings, engine="duckdb")
    raw.create_all([CONTRACT], back)
    assert _columns(back) == _columns(other)
    assert _rows(back, _columns(back)) == _rows(other, _columns(other))
    with connection.read(back) as con:
        assert con.execute(
            "select count(*) from duckdb_columns() where table_name = 'billing__payments'"
            " and comment is null"
        ).fetchone() == (0,)


def test_rows_that_were_there_stay_when_the_engine_changes(settings: Settings) -> None:
    first, *later = _batches(settings)
    duckdb = replace(settings, engine="duckdb")
    _load(duckdb, [first])
    _load(settings, later)
    assert "channel" in _columns(settings)
    with connection.read(settings) as con:
        assert con.execute(
            "select count(*) from raw.billing__payments where channel is null"
        ).fetchone() == (0,)


@pytest.mark.parametrize("damage", ["changed", "lost"])
def test_nothing_changes_when_a_passed_file_is_not_what_was_loaded(
    settings: Settings, damage: str
) -> None:
    batches = _batches(settings)
    _load(settings, batches)
    before = _rows(settings, DECIDING)
    if damage == "changed":
        batches[3].passed.write_bytes(batches[4].passed.read_bytes())
        error: type[Exception] = LandingError
    else:
        with connection.write(settings) as con:
            con.execute("delete from ops.ledger where batch = ?", [str(batches[3].address)])
        error = WarehouseError
    with pytest.raises(error):
        raw.create_all([CONTRACT], replace(settings, engine="duckdb"))
    assert _columns(settings) == DECIDING
    assert _rows(settings, DECIDING) == before
