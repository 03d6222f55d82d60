"""Several readers of one snapshot: the same files, none left behind, one where a server refuses."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import psycopg2
import pytest

from extract.connectors import base, postgres
from extract.disk import sha256
from kehu.errors import SourceError
from tests.extract.conftest import Landed, Source, Workplace, column, key
from tests.own_servers import missing, own_postgres, own_standby

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]
SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'kehu extract' ORDER BY backend_start"
)
COLUMNS = [key("id"), column("amount", "decimal(18,2)"), column("note", "varchar")]


@pytest.fixture
def bills(postgres_source: Source, place: Workplace) -> Source:
    place.url, place.readers = postgres_source.url, 3
    return postgres_source


def table(source: Source, place: Workplace, name: str, rows: int, width: int = 50) -> None:
    source.run(
        f"CREATE TABLE {name} AS SELECT i::text AS id, i * 0.01::numeric(18,2) AS amount,"
        f" repeat('{name}', {width}) AS note FROM generate_series(1, {rows}) AS i"
    )
    place.contract(name, COLUMNS, deletes="key_compare")


def sessions(source: Source) -> list[int]:
    with closing(source.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(SESSIONS)
        return [pid for (pid,) in cursor.fetchall()]


def nothing_is_left(source: Source, place: Workplace) -> None:
    """No batch, no thread of ours; at the server no session, once it has seen that we are gone."""
    assert [path for path in place.root.glob("home/**/*") if path.is_file()] == []
    assert [t.name for t in threading.enumerate() if t.name.startswith("reader")] == []
    no_session_is_left(source)


def no_session_is_left(source: Source) -> None:
    for _ in range(100):
        if not (left := sessions(source)):
            return
        time.sleep(0.1)
    raise AssertionError(f"sessions go on at the server: {left}")


def described(landed: dict[str, Landed]) -> list[object]:
    """Tables in order, hashes of their files, and what the manifest says that is no time."""
    times = ("batch_id", "extracted_at", "seconds", "run_id", "source_position")
    return [
        (
            name,
            sha256(each.batch.data),
            sha256(each.batch.keys),
            {k: v for k, v in asdict(each.manifest).items() if k not in times},
        )
        for name, each in landed.items()
    ]


def test_files_and_their_order_are_those_of_one_reader(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_CHUNK", 1 << 16)
    for name, rows in {"e": 9, "d": 20_000, "c": 0, "b": 3_000, "a": 40_000}.items():
        table(bills, place, name, rows)

    together = place.extract()
    place.readers = 1
    alone = place.extract()

    assert described(together) == described(alone)
    assert list(alone) == ["a", "b", "c", "d", "e"]
    positions = {each.manifest.source_position for each in together.values()}
    assert len(positions) == 1 and "snapshot" in str(positions)


def test_a_snapshot_is_read_by_as_many_as_are_asked_for(bills: Source, place: Workplace) -> None:
    """Each waits in its first table until all are there; with fewer of them none would go on."""
    all_there = threading.Barrier(3, timeout=60)
    for name in ("a", "b", "c"):
        table(bills, place, name, 10)
    open_ones = []

    def wait(*given):  # type: ignore[no-untyped-def]
        if all_there.wait() == 0:
            open_ones.extend(sessions(bills))
        return base_parse(*given)

    base_parse = base.parse_lines
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "parse_lines", wait)
        for name in ("a", "b", "c"):
            place.contract(name, COLUMNS)
        place.extract()

    assert len(open_ones) == 3
    no_session_is_left(bills)


SLOW = {
    # Some ten minutes either way: the server works and sends nothing, or a row now and then.
    "counted": "SELECT i::text AS id FROM generate_series(1, 60000) AS i"
    " WHERE pg_sleep(0.01) IS NOT NULL",
    "sent": "SELECT '1'::text AS id, slow(i) AS note FROM generate_series(1, 60000) AS i",
}
SLOW_FUNCTION = """
    CREATE FUNCTION slow(i integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM pg_sleep(0.01); RETURN repeat('x', 9000); END $$
"""
"""Called immutable, so that a count leaves it out."""
FAILING = (
    "SELECT i::text AS id FROM generate_series(1, 2) AS i"
    " WHERE pg_sleep(0.5) IS NOT NULL AND 1 / (i - 2) < 9"
)


@pytest.mark.parametrize("bad", ["a", "c"])
@pytest.mark.parametrize("slow", list(SLOW))
def test_a_table_that_fails_ends_the_others(
    bills: Source, place: Workplace, bad: str, slow: str
) -> None:
    bills.run(SLOW_FUNCTION)
    for name in ("a", "b", "c"):
        bills.run(f"CREATE VIEW {name} AS {FAILING if name == bad else SLOW[slow]}")
        more = [column("note", "varchar")] if name != bad and slow == "sent" else []
        place.contract(name, [key("id"), *more])

    with pytest.raises(SourceError, match=rf"Reading billing\.{bad} failed.*22012") as stopped:
        place.extract()

    assert f"table {bad}" in stopped.value.where
    nothing_is_left(bills, place)


@pytest.mark.parametrize("victim", ["a", "b", "c"])
def test_a_reader_that_the_server_ends_ends_the_run(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    for name in ("a", "b", "c"):
        table(bills, place, name, 40_000, width=800)
    monkeypatch.setattr(postgres, "_CHUNK", 1 << 14)
    parse, chunks = base.parse_lines, []

    def parse_and_end(lines, columns):  # type: ignore[no-untyped-def]
        if victim.encode() * 800 in lines:
            chunks.append(len(lines))
            if len(chunks) == 20:
                bills.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    f" WHERE datname = current_database() AND query LIKE 'COPY%\"{victim}\"%'"
                    " AND pid <> pg_backend_pid()"
                )
        return parse(lines, columns)

    monkeypatch.setattr(base, "parse_lines", parse_and_end)
    with pytest.raises(SourceError, match=rf"Reading billing\.{victim} failed"):
        place.extract()

    nothing_is_left(bills, place)
    landed = place.extract()
    assert [each.manifest.landed_rows for each in landed.values()] == [40_000] * 3


def test_a_disk_that_is_full_names_the_table(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from extract import run
    from kehu.errors import LandingError

    for name in ("a", "b", "c"):
        table(bills, place, name, 10)
    measure = run.parquet.measure

    def full(path: Path, contract, until):  # type: ignore[no-untyped-def]
        if contract.table == "b":
            raise OSError(28, "No space left on device")
        return measure(path, contract, until)

    monkeypatch.setattr(run.parquet, "measure", full)
    with pytest.raises(LandingError, match="No space left") as stopped:
        place.extract()

    assert "/billing/b/" in stopped.value.where
    nothing_is_left(bills, place)


def test_a_signal_in_the_calling_thread_ends_every_reader(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the one that ends a task: it comes while the calling thread waits for them."""
    bills.run(SLOW_FUNCTION)
    for name in ("a", "b", "c"):
        bills.run(f"CREATE VIEW {name} AS {SLOW['sent']}")
        place.contract(name, [key("id"), column("note", "varchar")])
    caller, chunks = threading.get_ident(), postgres._Copy.chunks
    all_there = threading.Barrier(3, lambda: signal.pthread_kill(caller, signal.SIGINT), 60)

    def stopped(copy):  # type: ignore[no-untyped-def]
        all_there.wait()
        return chunks(copy)

    monkeypatch.setattr(postgres._Copy, "chunks", stopped)
    # A shell that starts the tests in the background has it ignored.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            place.extract()
    finally:
        signal.signal(signal.SIGINT, handler)
    nothing_is_left(bills, place)


@pytest.fixture
def reader(bills: Source, place: Workplace) -> Iterator[str]:
    """A login that may read three tables, and nothing else; its name."""
    name = f"kehu_reader_{secrets.token_hex(4)}"
    bills.run("CREATE SCHEMA billing", f"CREATE ROLE {name} LOGIN PASSWORD 's3cret'")
    bills.run(f"GRANT USAGE ON SCHEMA billing TO {name}")
    for number, each in enumerate("abc", 1):
        table(bills, place, f"billing.{each}", 10 * number)
        (place.root / "contracts" / "billing" / f"billing.{each}.yaml").unlink()
        place.contract(each, COLUMNS)
    bills.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA billing TO {name}")
    place.url = bills.url.replace("//postgres@", f"//{name}:s3cret@")
    try:
        yield name
    finally:
        bills.run(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


REFUSALS = {
    "a limit of connections": ("ALTER ROLE {} CONNECTION LIMIT 1", "too many connections"),
    "no right to export": (
        "REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC",
        "permission denied for function pg_export_snapshot",
    ),
}


@pytest.mark.parametrize("why", list(REFUSALS))
def test_one_reads_on_where_the_server_refuses(
    bills: Source, place: Workplace, reader: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    statement, reason = REFUSALS[why]
    bills.run(statement.format(reader))

    landed = place.extract()

    assert [each.manifest.landed_rows for each in landed.values()] == [10, 20, 30]
    (said,) = [r.getMessage() for r in caplog.records if "no further reader" in r.getMessage()]
    assert reason in said
    assert "s3cret" not in said


def test_a_reader_that_sees_another_snapshot_is_left_out(
    bills: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Planted: the name of the snapshot means nothing to the second connection's server."""
    table(bills, place, "a", 10)
    table(bills, place, "b", 10)
    monkeypatch.setattr(postgres, "_IMPORT", "SELECT %s")
    connect = postgres._connect

    def changed_meanwhile(address):  # type: ignore[no-untyped-def]
        bills.run("UPDATE a SET amount = amount + 1", "UPDATE b SET amount = amount + 1")
        return connect(address)

    monkeypatch.setattr(postgres, "_connect", changed_meanwhile)
    landed = place.extract()

    assert "another snapshot came" in caplog.text
    sums = [each.manifest.control_sums["amount"] for each in landed.values()]
    assert sums == ["10.55", "10.55"], "after the one change that came before the snapshot"


def test_a_hot_standby_shares_its_snapshot(
    place: Workplace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if program := missing("postgres"):
        pytest.skip(f"no {program}: servers of one's own need the postgres package")
    folder = tmp_path / "servers"
    folder.mkdir()
    with own_postgres(folder) as primary:
        url = f"postgresql://postgres@127.0.0.1:{primary}/postgres"
        source = Source("postgres", url, lambda: psycopg2.connect(url))
        table(source, place, "a", 10)
        table(source, place, "b", 20)
        with own_standby(folder, primary) as port:
            place.url, place.readers = url.replace(str(primary), str(port)), 2
            landed = place.extract()

    assert [each.manifest.landed_rows for each in landed.values()] == [10, 20]
    assert "no further reader" not in caplog.text
