"""Rebuild: the same warehouse from landing alone, and the old one stays until the new is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from extract import contract as contracts_of
from kehu.errors import KehuError, LandingError, WarehouseError
from kehu.settings import CLONE, Settings
from tests.warehouse.landed import PAYMENTS, at, land, payment, settings_at
from warehouse import __main__ as command
from warehouse import connection, raw, receipts
from warehouse import rebuild as rebuilding
from warehouse.hashes import table_hashes
from warehouse.rebuild import rebuild


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with the contract of payments only, so that reading contracts is quick."""
    folder = tmp_path / "contracts" / "billing"
    folder.mkdir(parents=True)
    (folder / "payments.yaml").write_text(PAYMENTS.path.read_text())
    return replace(settings_at(tmp_path / "home"), contract_dirs=(tmp_path / "contracts",))


def filled(settings: Settings) -> None:
    """A history of changes, repeats, deletes, quarantine and batches out of order."""
    rows = [payment(n) for n in range(30)]
    first = land(settings, PAYMENTS, rows, quarantined=[payment(99)])
    raw.load_batch(first, PAYMENTS, settings, "run-1")
    changed = [payment(3, "11.00", minute=5), payment(4), payment(5, "12.00", minute=6)]
    late = land(settings, PAYMENTS, [payment(6, "9.00", minute=-5)], keys=rows)
    second = land(settings, PAYMENTS, changed, keys=rows[2:])
    raw.load_batch(second, PAYMENTS, settings, "run-2")
    raw.load_batch(late, PAYMENTS, settings, "run-3")
    refused = land(settings, PAYMENTS, [], keys=rows[:1])
    with pytest.raises(WarehouseError, match="gone from the source"):
        raw.load_batch(refused, PAYMENTS, settings, "run-4")


@pytest.mark.fault(29, "rebuilt with changes, repeats and deletes in its history")
def test_a_rebuilt_warehouse_is_the_same(settings: Settings) -> None:
    filled(settings)
    before = table_hashes(settings.work_file)
    assert before.keys() == {"ops.ledger", "ops.watermarks", "raw.billing__payments"}
    with connection.read(settings) as con:
        runs = con.execute("select batch, run_id from ops.ledger order by loaded_at").fetchall()
    said: list[str] = []
    assert rebuild(settings, said.append) == 3, "the refused batch was never loaded"
    assert table_hashes(settings.work_file) == before
    settings.work_file.unlink()
    assert rebuild(settings) == 3
    assert table_hashes(settings.work_file) == before
    with connection.read(settings) as con:
        again = con.execute("select batch, run_id from ops.ledger order by loaded_at").fetchall()
    assert again == runs
    assert any("3 of 3 batches loaded" in line for line in said)
    assert "rebuilt from 3 batches in" in said[-1]
    assert [path.name for path in settings.work_file.parent.iterdir()] == ["kehu-work.duckdb"]


def test_every_damaged_batch_is_named_before_anything_is_written(settings: Settings) -> None:
    filled(settings)
    before = settings.work_file.read_bytes()
    batches = [batch for batch, _ in receipts.read_all(settings.landing)]
    for batch in batches[:2]:
        data = bytearray(batch.passed.read_bytes())
        data[len(data) // 2] ^= 1
        batch.passed.write_bytes(data)
    with pytest.raises(KehuError) as caught:
        rebuild(settings)
    assert all(str(batch.passed) in caught.value.where for batch in batches[:2])
    assert str(batches[2].passed) not in caught.value.where
    assert settings.work_file.read_bytes() == before
    assert not (settings.work_file.parent / ".new").exists()


def test_what_landing_lost_is_not_rebuilt_away(settings: Settings) -> None:
    filled(settings)
    before = table_hashes(settings.work_file)
    (batch, _), *_ = receipts.read_all(settings.landing)
    batch.path.rename(settings.home / "lost")
    with pytest.raises(WarehouseError, match="lacks 1 of 3 batches"):
        rebuild(settings)
    assert table_hashes(settings.work_file) == before
    settings.work_file.unlink()
    for path in settings.landing.rglob("loaded.json"):
        path.unlink()
    with pytest.raises(WarehouseError, match="nothing to rebuild from"):
        rebuild(settings)


def test_the_receipts_of_loads_are_written_again_from_the_ledger(settings: Settings) -> None:
    filled(settings)
    before = table_hashes(settings.work_file)
    written = {path: path.read_text() for path in settings.landing.rglob("loaded.json")}
    for path in written:
        path.unlink()
    assert rebuild(settings) == 3
    assert table_hashes(settings.work_file) == before
    assert {path: path.read_text() for path in written} == written


def test_a_broken_receipt_is_named(settings: Settings) -> None:
    filled(settings)
    (batch, _), *_ = receipts.read_all(settings.landing)
    (batch.path / receipts.NAME).write_text("{")
    with pytest.raises(LandingError, match=r"(?s)not valid JSON.*loaded\.json"):
        rebuild(settings)


def test_a_killed_rebuild_leaves_the_old_file(settings: Settings) -> None:
    filled(settings)
    before = table_hashes(settings.work_file)
    script = (
        "import os, sys; from pathlib import Path; from dataclasses import replace\n"
        "from tests.warehouse.landed import settings_at\n"
        "from warehouse import raw; from warehouse.rebuild import rebuild\n"
        "settings = replace(settings_at(Path(sys.argv[1])), contract_dirs=(Path(sys.argv[2]),))\n"
        "loading, loaded = raw.load_one, []\n"
        "def dying(*given):\n"
        "    loaded.append(1)\n"
        "    os._exit(9) if len(loaded) == 3 else None\n"
        "    return loading(*given)\n"
        "raw.load_one = dying\n"
        "rebuild(settings)\n"
    )
    given = [str(settings.home), str(settings.contract_dirs[0])]
    environment = {**os.environ, "PYTHONPATH": str(CLONE)}
    died = subprocess.run(
        [sys.executable, "-c", script, *given], cwd=CLONE, env=environment, check=False
    )
    assert died.returncode == 9
    assert (settings.work_file.parent / ".new" / "kehu-work.duckdb").exists()
    assert table_hashes(settings.work_file) == before
    assert rebuild(settings) == 3
    assert table_hashes(settings.work_file) == before
    assert not (settings.work_file.parent / ".new").exists()


def test_a_contract_that_grew_since_is_no_obstacle(settings: Settings) -> None:
    filled(settings)
    document = yaml.safe_load(PAYMENTS.path.read_text())
    columns = document["schema"][0]["properties"]
    new = {"name": "till", "description": "Till.", "logicalType": "string"}
    columns.append({**new, "physicalType": "varchar", "classification": "internal"})
    amount = next(column for column in columns if column["name"] == "amount")
    amount["physicalType"] = "decimal(20,4)"
    path = settings.contract_dirs[0] / "billing" / "payments.yaml"
    path.write_text(yaml.safe_dump(document))
    assert rebuild(settings) == 3
    with connection.read(settings) as con:
        found = con.execute(
            "select count(*), count(till), typeof(any_value(amount)), sum(amount)"
            " from raw.billing__payments where _is_current"
        ).fetchone()
    assert found is not None
    assert found[:3] == (30, 0, "DECIMAL(20,4)")
    contract = contracts_of.read(path)
    more = land(settings, contract, [payment(50, minute=9, till="T1")], keys=[payment(50)])
    with pytest.raises(WarehouseError, match="gone from the source"):
        raw.load_batch(more, contract, settings, "run-5")


def test_any_system_is_rebuilt_as_the_others(settings: Settings) -> None:
    """Decisions of people are batches of a system that no source and no setting knows."""
    document = yaml.safe_load(PAYMENTS.path.read_text())
    document["domain"] = "decisions"
    document["id"] = "decisions.payments"
    folder = settings.contract_dirs[0] / "decisions"
    folder.mkdir()
    (folder / "payments.yaml").write_text(yaml.safe_dump(document))
    contract = contracts_of.read(folder / "payments.yaml")
    filled(settings)
    decided = land(settings, contract, [payment(1), payment(2, minute=at(0).minute)])
    raw.load_all([decided], settings, "by-hand")
    before = table_hashes(settings.work_file)
    assert "raw.decisions__payments" in before
    settings.work_file.unlink()
    assert rebuild(settings) == 4
    assert table_hashes(settings.work_file) == before


def test_nothing_is_loaded_into_the_old_file_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(settings)
    probe = (
        "import sys, duckdb\n"
        "try:\n    duckdb.connect(sys.argv[1])\n"
        "except duckdb.IOException as error:\n    print('lock' in str(error))\n"
    )
    answers = []

    def looking(*given: object, **named: object) -> object:
        asked = [sys.executable, "-c", probe, str(settings.work_file)]
        answers.append(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        return real(*given, **named)  # type: ignore[arg-type]

    real = rebuilding.load_again
    monkeypatch.setattr(rebuilding, "load_again", looking)
    rebuild(settings)
    assert answers == ["True\n"]


def test_the_command_says_what_it_does(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    monkeypatch.setenv("KEHU_CONTRACTS", str(settings.contract_dirs[0]))
    assert command.main(["rebuild"]) == 1
    assert "nothing to rebuild from" in capsys.readouterr().err
    filled(settings)
    assert command.main(["rebuild"]) == 0
    assert "rebuilt from 3 batches" in capsys.readouterr().out
