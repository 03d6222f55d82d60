"""Backup and restore: what was there comes back, and no good copy is ever lost on the way."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from extract import landing
from kehu.errors import KehuError, WarehouseError
from kehu.settings import CLONE, Settings
from tests.warehouse.landed import PAYMENTS, land, payment, settings_at
from warehouse import __main__ as command
from warehouse import backup, connection, raw
from warehouse.backup import back_up, backups, read_manifest, restore
from warehouse.hashes import table_hashes

ROWS = [payment(n) for n in range(300)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with one loaded batch and the contract of payments only."""
    folder = tmp_path / "contracts" / "billing"
    folder.mkdir(parents=True)
    (folder / "payments.yaml").write_text(PAYMENTS.path.read_text())
    made = replace(settings_at(tmp_path / "home"), contract_dirs=(tmp_path / "contracts",))
    raw.load_batch(land(made, PAYMENTS, ROWS), PAYMENTS, made, "run-1")
    return made


def load_more(settings: Settings, number: int) -> None:
    changed = land(settings, PAYMENTS, [payment(number, "99.00", minute=number)], keys=ROWS)
    raw.load_batch(changed, PAYMENTS, settings, f"run-{number}")


def flip(path: Path, at: float = 0.5) -> None:
    """Turn one bit of a file."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def test_a_backup_says_what_it_holds(settings: Settings) -> None:
    said: list[str] = []
    made = back_up(settings, say=said.append)
    assert made.parent == settings.backups
    manifest = read_manifest(made)
    assert manifest.sha256 == landing.sha256(made)
    assert manifest.bytes == made.stat().st_size
    assert manifest.tables["raw.billing__payments"].rows == 300
    assert {name: each.hash for name, each in manifest.tables.items()} == table_hashes(made)
    assert "302 rows, verified" in said[-1]
    for path in settings.backups.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.backups.stat().st_mode) == 0o700


def test_a_damaged_warehouse_is_loud_and_comes_back_with_all_that_landed_since(
    settings: Settings,
) -> None:
    back_up(settings)
    load_more(settings, 5)
    load_more(settings, 6)
    good = table_hashes(settings.work_file)
    flip(settings.work_file)
    with pytest.raises(connection.DamagedError, match="damaged"):
        table_hashes(settings.work_file)
    with pytest.raises(connection.DamagedError):
        back_up(settings)
    with pytest.raises(connection.DamagedError):
        load_more(settings, 7)
    assert restore(settings) == 2, "the batch that met the damage was not loaded"
    assert table_hashes(settings.work_file) == good
    (replaced,) = settings.work_file.parent.glob("kehu-work.replaced-*.duckdb")
    with pytest.raises(connection.DamagedError):
        table_hashes(replaced)


def test_a_lost_warehouse_is_restored_as_it_was_on_request(settings: Settings) -> None:
    before = table_hashes(settings.work_file)
    made = back_up(settings)
    load_more(settings, 5)
    settings.work_file.unlink()
    assert restore(settings, made, as_it_was=True) == 0
    assert table_hashes(settings.work_file) == before
    assert restore(settings, made) == 1
    load_more(settings, 6)


@pytest.mark.fault(30, "landing and warehouse lost, history from the backup")
def test_history_that_landing_lost_is_in_the_backup(settings: Settings) -> None:
    load_more(settings, 5)
    made = back_up(settings)
    before = table_hashes(settings.work_file)
    settings.landing.rename(settings.home / "lost")
    settings.work_file.unlink()
    said: list[str] = []
    assert restore(settings, made, said.append) == 0
    assert table_hashes(settings.work_file) == before
    assert any("2 batches of the backup are no longer in landing" in line for line in said)


@pytest.mark.parametrize("which", ["file", "manifest", "sha256", "tables"])
def test_a_damaged_backup_is_refused_before_anything_is_replaced(
    settings: Settings, which: str
) -> None:
    made = back_up(settings)
    load_more(settings, 5)
    before = table_hashes(settings.work_file)
    told = json.loads(made.with_suffix(".json").read_text())
    if which == "file":
        flip(made)
    elif which == "manifest":
        made.with_suffix(".json").unlink()
    elif which == "sha256":
        made.with_suffix(".json").write_text(json.dumps(told | {"sha256": "0" * 64}))
    else:
        told["tables"]["raw.billing__payments"]["rows"] = 299
        made.with_suffix(".json").write_text(json.dumps(told))
    with pytest.raises(WarehouseError) as caught:
        restore(settings, made)
    assert made.stem in caught.value.where
    assert table_hashes(settings.work_file) == before
    assert [path.name for path in settings.work_file.parent.iterdir()] == ["kehu-work.duckdb"]


def test_a_damaged_batch_stops_the_restore_before_the_switch(settings: Settings) -> None:
    made = back_up(settings)
    load_more(settings, 5)
    before = table_hashes(settings.work_file)
    newest = landing.batches(settings.landing)[-1]
    flip(newest.passed)
    with pytest.raises(KehuError) as caught:
        restore(settings, made)
    assert str(newest.passed) in caught.value.where
    assert table_hashes(settings.work_file) == before
    assert not list(settings.work_file.parent.glob("kehu-work.replaced-*"))


def test_only_old_backups_are_removed_and_only_after_a_new_one_is_verified(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (back_up(settings, keep=2) for _ in range(3))
    assert backups(settings.backups) == [second, third]
    assert not first.exists()
    with pytest.raises(WarehouseError, match="not kept"):
        back_up(settings, keep=0)

    real = backup._copy

    def torn(*given: object) -> str:
        sha256 = real(*given)  # type: ignore[arg-type]
        flip(Path(str(given[1])))
        return sha256

    monkeypatch.setattr(backup, "_copy", torn)
    with pytest.raises(WarehouseError, match="not what was copied"):
        back_up(settings, keep=1)
    assert backups(settings.backups) == [second, third]
    assert len(list(settings.backups.iterdir())) == 4


def test_a_killed_backup_is_none_and_is_swept(settings: Settings) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from tests.warehouse.landed import settings_at; from extract import landing\n"
        "from warehouse.backup import back_up\n"
        "landing.write_json = lambda *given: os._exit(9)\n"
        "back_up(settings_at(Path(sys.argv[1])))\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", script, str(settings.home)],
        cwd=CLONE,
        env={**os.environ, "PYTHONPATH": str(CLONE)},
        check=False,
    )
    assert died.returncode == 9
    assert len(list(settings.backups.iterdir())) == 1
    assert backups(settings.backups) == []
    with pytest.raises(WarehouseError, match="no backup"):
        restore(settings)
    made = back_up(settings)
    assert {path.stem for path in settings.backups.iterdir()} == {made.stem}


def test_loads_wait_until_the_copy_is_verified(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = (
        "import sys, duckdb\n"
        "try:\n    duckdb.connect(sys.argv[1])\n"
        "except duckdb.IOException as error:\n    print('lock' in str(error))\n"
    )
    answers = []
    real = backup._read_again

    def looking(copy: Path, sha256: str) -> object:
        asked = [sys.executable, "-c", probe, str(settings.work_file)]
        answers.append(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        return real(copy, sha256)

    monkeypatch.setattr(backup, "_read_again", looking)
    back_up(settings)
    assert answers == ["True\n"]


def test_the_commands(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    monkeypatch.setenv("KEHU_CONTRACTS", str(settings.contract_dirs[0]))
    assert command.main(["restore"]) == 1
    assert "There is no backup" in capsys.readouterr().err
    elsewhere = settings.home / "elsewhere"
    assert command.main(["backup", "--to", str(elsewhere), "--keep", "1"]) == 0
    (made,) = backups(elsewhere)
    assert str(made) in capsys.readouterr().out
    assert command.main(["restore", str(made)]) == 0
    assert "0 batches of landing loaded on top" in capsys.readouterr().out
