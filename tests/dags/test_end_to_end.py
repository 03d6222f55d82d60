"""From the embedded sources to what readers open, twice, and once more a day later."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from dags.__main__ import default_day
from dags.round import run
from expectations.gate import validate_all
from extract.contract import read_all
from extract.run import extract_system
from kehu.settings import CLONE, SYSTEMS, Settings, load
from tests.dags.conftest import Round, demo
from warehouse import connection, raw, runs
from warehouse.ddl.raw_tables import quoted
from warehouse.hashes import table_hashes

CONTRACTS = [c for c in read_all([CLONE / "extract" / "contracts"]) if c.system in SYSTEMS]


def _round(finished: Round) -> dict[str, dict[str, Any]]:
    """Run one more round; what became of its batches, by their table."""
    screen = StringIO()
    settings = load()
    known = {row["batch"] for row in _batches(settings)}
    assert run(settings, default_day(settings), to=screen), screen.getvalue()
    new = [row for row in _batches(finished.settings) if row["batch"] not in known]
    return {f"{row['system']}.{row['table']}": row for row in new}


def _batches(settings: Settings) -> list[dict[str, Any]]:
    with connection.read(settings) as con:
        return runs.reconciliation(con)


def _current(settings: Settings) -> dict[str, set[Any]]:
    """What the raw tables say of today: the rows of the sources, and what the gate derived."""
    with connection.read(settings) as con:
        return {
            contract.name: set(
                con.execute(
                    f"select {', '.join(map(quoted, contract.passed_schema.names))}"
                    f" from raw.{quoted(contract.raw_table)}"
                    " where _is_current and not _is_deleted"
                ).fetchall()
            )
            for contract in CONTRACTS
        }


def _told(settings: Settings) -> dict[str, str]:
    """Hashes of what readers get, but for the table that compares a build with the one before."""
    hashes = table_hashes(settings.published_file.resolve())
    return {name: found for name, found in hashes.items() if name != "customer.identity_health"}


def test_twice_the_same_and_a_day_later_only_what_changed(
    first_round: Round, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = first_round.settings
    before = _told(settings)
    held = _current(settings)
    first_file = settings.published_file.resolve()

    again = _round(first_round)
    assert _told(settings) == before
    assert settings.published_file.resolve() != first_file
    assert _current(settings) == held
    assert {row["system"] for row in again.values()} == set(SYSTEMS), "identity decided nothing new"
    assert {name: row["loaded"] for name, row in again.items() if row["loaded"]} == {}

    demo("advance", "--days", "1", home=settings.home)
    assert default_day(settings) == first_round.day + timedelta(days=1)
    later = _round(first_round)
    loaded = {name: row["loaded"] for name, row in later.items()}
    sizes = {name: len(rows) for name, rows in held.items()}
    assert sum(loaded.values()) > 0
    assert sum(loaded.values()) < sum(sizes.values()) / 5, "a day is not a fifth of all days"
    assert _told(settings) != before

    # Loading what changed leads to the same rows as loading everything from nothing.
    urls = {system: settings.source_url(system) for system in SYSTEMS}
    monkeypatch.setenv("KEHU_HOME", str(tmp_path / "anew"))
    for system, url in urls.items():
        monkeypatch.setenv(f"KEHU_{system.upper()}_URL", url)
    anew = load()
    for system in SYSTEMS:
        batches = extract_system(
            system, day=first_round.day, run_id="anew", watermarks={}, settings=anew
        )
        validate_all(batches, anew)
        raw.load_all(batches, anew, "anew")
    assert _current(anew) == _current(settings)
