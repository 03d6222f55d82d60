"""Bad input stops a round with one message - what, where, what to do - and changes nothing.

Each fault meets a house that has published already; its readers keep what they have.
"""

from __future__ import annotations

import hashlib
import html
import json
import secrets
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dags.environment import failures_file
from dags.round import run
from kehu.settings import CLONE, load
from tests.dags.conftest import Round
from warehouse import connection


class House:
    """The house of the first round, and what must not change in it."""

    def __init__(self, finished: Round) -> None:
        self.finished = finished
        self._before = self._state()

    def _state(self) -> tuple[str, str, int, list[Path]]:
        published = self.finished.settings.published_file
        with connection.read(self.finished.settings) as con:
            ledger = con.execute("select count(*) from ops.ledger").fetchone()
        assert ledger is not None
        landed = sorted(self.finished.settings.landing.rglob("manifest.json"))
        return (
            str(published.resolve()),
            hashlib.sha256(published.read_bytes()).hexdigest(),
            ledger[0],
            landed,
        )

    def stops_with(self, *words: str) -> None:
        """A round now stops, says these words, and leaves everything as it was."""
        screen = StringIO()
        assert run(load(), self.finished.day, to=screen) is False
        shown = screen.getvalue()
        for word in (*words, "  where: ", "  do:    ", "Readers keep the last published version"):
            assert word in shown
        assert shown.count("  where: ") == 1, "one message"
        assert "unexpectedly" not in shown
        assert self._state() == self._before
        self._reported()

    def _reported(self) -> None:
        """The newest run report tells of a failure in the same words."""
        folder = self.finished.settings.run_reports
        newest = max(folder.glob("run-*.json"), key=lambda path: path.stat().st_mtime_ns)
        failure = json.loads(newest.read_text(encoding="utf-8"))["failure"]
        page = newest.with_suffix(".html").read_text(encoding="utf-8")
        assert failure["what"] and html.escape(failure["what"], quote=False)[:30] in page


@pytest.fixture
def house(first_round: Round) -> House:
    return House(first_round)


@pytest.fixture
def damaged(
    first_round: Round, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Read billing from a copy on which a statement was executed."""

    def damage(statement: str) -> None:
        copy = tmp_path / "billing.db"
        shutil.copy(first_round.settings.demo_sources / "billing.db", copy)
        with sqlite3.connect(copy) as con:
            con.execute(statement)
        monkeypatch.setenv("KEHU_BILLING_URL", f"sqlite:///{copy}")

    return damage


@pytest.mark.fault(1, "source down under a whole round of the DAGs")
def test_source_is_down(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("KEHU_BILLING_URL", f"postgresql://reader:s3cret@127.0.0.1:{port}/erp")
    house.stops_with("ingest_billing.extract", f"127.0.0.1:{port}")


def test_source_file_is_missing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEHU_BILLING_URL", "sqlite:////nowhere/billing.db")
    house.stops_with("ingest_billing.extract", "/nowhere/billing.db", "KEHU_BILLING_URL")


def test_table_is_missing(house: House, damaged: Callable[[str], None]) -> None:
    damaged("drop table payments")
    house.stops_with("ingest_billing.extract", "payments", "missing")


@pytest.mark.fault(8, "column removed under a whole round of the DAGs")
def test_column_was_removed(house: House, damaged: Callable[[str], None]) -> None:
    damaged("alter table bills drop column cost")
    house.stops_with("ingest_billing.extract", "bills", "cost")


@pytest.fixture
def guarded_database(mariadb_database: str) -> Iterator[str]:
    """URL of a database whose user has a password; the right one is not in it."""
    import pymysql

    parts = urlsplit(mariadb_database)
    user = f"kehu_{secrets.token_hex(4)}"
    admin = pymysql.connect(
        host=parts.hostname or "", port=parts.port or 3306, user=parts.username, password=""
    )
    with admin.cursor() as cursor:
        cursor.execute(f"create user '{user}'@'%' identified by 'right-{secrets.token_hex(8)}'")
        cursor.execute(f"create user '{user}'@'localhost' identified by 'right'")
        cursor.execute(f"create user '{user}'@'127.0.0.1' identified by 'right'")
    try:
        yield f"mysql://{user}:wr0ng-pass@{parts.hostname}:{parts.port}{parts.path}"
    finally:
        with admin.cursor() as cursor:
            for host in ("%", "localhost", "127.0.0.1"):
                cursor.execute(f"drop user '{user}'@'{host}'")
        admin.close()


@pytest.mark.mariadb
@pytest.mark.fault(35, "wrong password under a whole round of the DAGs")
def test_password_is_wrong(
    house: House, guarded_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEHU_BILLING_URL", guarded_database)
    house.stops_with("ingest_billing.extract", "KEHU_BILLING_URL")
    recorded = failures_file(house.finished.settings).read_text(encoding="utf-8").splitlines()
    assert json.loads(recorded[-1])["error"] == "AccessError", "which is not tried again"
    written = [
        path
        for path in house.finished.settings.home.rglob("*")
        if path.is_file() and path.suffix in (".log", ".jsonl", ".json", ".html")
    ]
    assert len(written) > 2
    for path in written:
        assert "wr0ng-pass" not in path.read_text(encoding="utf-8", errors="replace"), path


def test_contract_is_unreadable(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CLONE / "extract" / "contracts", contracts)
    (contracts / "billing" / "bills.yaml").write_text("apiVersion: [", encoding="utf-8")
    monkeypatch.setenv("KEHU_CONTRACTS", str(contracts))
    house.stops_with("ingest_billing.extract", "bills.yaml", "cannot be read")


@pytest.fixture
def full_disk(first_round: Round) -> Iterator[None]:
    """Billing's landing on a disk of its own with 64 KiB, which one batch fills."""
    folder = first_round.settings.landing / "billing"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted by an administrator only")
    yield
    # Lazily: a traceback may still hold a file of the failed batch open.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.fault(17, "landing's disk full under a whole round of the DAGs")
def test_disk_is_full(first_round: Round, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("full_disk")
    house = House(first_round)
    house.stops_with("ingest_billing.extract", "No space left on device", "free space")
