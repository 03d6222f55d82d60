"""`python -m warehouse`, as a person uses it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from kehu.settings import Settings
from tests.warehouse.landed import PAYMENTS, land, payment, settings_at
from warehouse import __main__ as command
from warehouse import connection, raw, runs


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Only the contract of payments, so that a command need not read them all."""
    folder = tmp_path / "contracts" / "billing"
    folder.mkdir(parents=True)
    (folder / "payments.yaml").write_text(PAYMENTS.path.read_text())
    monkeypatch.setenv("KEHU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KEHU_CONTRACTS", str(tmp_path / "contracts"))
    return settings_at(tmp_path / "home")


def test_init_load_watermarks_and_status(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["init"]) == 0
    assert "1 raw tables" in capsys.readouterr().out
    assert stat.S_IMODE(settings.work_file.stat().st_mode) == 0o600
    batch = land(settings, PAYMENTS, [payment(1), payment(2)], quarantined=[payment(3)])
    assert command.main(["load", str(batch.address)]) == 0
    assert command.main(["load", str(batch.address)]) == 0
    assert "before" in capsys.readouterr().out
    assert command.main(["watermarks", "billing", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"payments": "2026-01-31T00:00:00"}
    assert command.main(["status"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if "billing.payments" in x)
    assert line.split()[1:5] == ["3", "3", "2", "1"]


def test_load_all_rebuilds_from_landing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [payment(n) for n in range(4)]
    batches = [
        land(settings, PAYMENTS, rows[:3]),
        land(settings, PAYMENTS, rows[2:], keys=rows),
        land(settings, PAYMENTS, rows, verdict={"passed": False, "message": "bad"}),
        land(settings, PAYMENTS, rows, judged=False),
    ]
    for batch in batches[:2]:
        raw.load_batch(batch, PAYMENTS, settings, "run-1")
    sql = "select * exclude (_loaded_at) from raw.billing__payments order by all"
    with connection.read(settings) as con:
        before = con.execute(sql).fetchall()
    settings.work_file.unlink()
    assert command.main(["load", "--all"]) == 0
    assert capsys.readouterr().err.count("left out") == 2
    with connection.read(settings) as con:
        assert con.execute(sql).fetchall() == before
    settings.work_file.unlink()
    assert command.main(["load", "billing.payments"]) == 0
    with connection.read(settings) as con:
        assert con.execute(sql).fetchall() == before


def test_publish_and_hashes(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["init"])
    assert command.main(["publish"]) == 1
    assert "no build yet" in capsys.readouterr().err
    with (
        runs.run(settings, "run-1", "build_customer_marts"),
        connection.write(settings) as con,
    ):
        con.execute("create schema value; create table value.rfm as select 1 as one")
    assert command.main(["publish"]) == 0
    assert command.main(["hashes"]) == 0
    published = capsys.readouterr().out.splitlines()[-1]
    assert published.endswith("  value.rfm")
    assert command.main(["hashes", str(settings.work_file)]) == 0
    assert published in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["load"], "No batch is named"),
        (["load", "billing.nothing"], "Nothing of that table has landed"),
        (["load", "a/b"], "no address of a batch"),
        (["status"], "warehouse init"),
        (["hashes"], "no published file"),
    ],
)
def test_what_cannot_be_done_is_said(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert command.main(arguments) == 1
    assert message in capsys.readouterr().err
    assert not settings.published.exists()


def test_sources_are_printed(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["sources"]) == 0
    assert "identifier: billing__payments" in capsys.readouterr().out
