"""Sources that are down, die, hang, refuse us, or change while they are read."""

from __future__ import annotations

import itertools
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from extract.connectors import base, postgres
from kehu.errors import AccessError, SourceError
from tests.faults.conftest import Counted, times
from tests.faults.house import DAY, Erp, House
from tests.faults.proxy import network
from tests.own_servers import missing, own_postgres

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]
SEVERAL = pytest.mark.parametrize("readers", [1, 3])

MANY = """
    insert into billing.payments (payment_no, account_no, amount, currency_code, channel, paid_at,
        updated_at)
    select 'M' || lpad(i::text, 6, '0'), 'A0001', i * 0.01, 'CNY', 'agency', '2026-01-02 10:00',
        timestamp '2026-02-01 00:00' + i * interval '10 milliseconds'
    from generate_series(1, {}) as i
"""


def server_port(house: House) -> int:
    return urlsplit(house.source.url).port or 5432


def started(port: int) -> Erp:
    """The source on a server that has just begun to listen."""
    source = Erp(f"postgresql://postgres@127.0.0.1:{port}/postgres")
    for _ in range(100):
        try:
            source.ask("select 1")
            break
        except psycopg2.OperationalError:
            time.sleep(0.1)
    source.create()
    return source


def untouched(house: House, before: object, published: object) -> None:
    """Nothing of the failed run is visible: no batch, no row, no watermark; readers read on."""
    assert house.state() == before
    assert house.published() == published
    house.check_nothing_is_left()


@pytest.fixture
def published(house: House, clean: House) -> dict[str, str]:
    """Both houses have read the first day; the second is happening."""
    clean.go("run-0")
    house.go("run-0")
    found = house.publish("run-0")
    house.source.move(1)
    return found


@pytest.mark.fault(1, "server stopped before the run, started again after it")
def test_the_server_is_down(
    new_house: Callable[[str], House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if program := missing("postgres"):
        pytest.skip(f"no {program}: servers of one's own need the postgres package")
    monkeypatch.setattr(base, "PAUSES", (0.2, 0.3))
    folder = tmp_path / "server"
    folder.mkdir()
    with own_postgres(folder) as port:
        source = started(port)
        house = new_house("house").at(source.url)
        house.source = source
        house.go("run-0")
        before, readers = house.state(), house.publish("run-0")
    began = time.monotonic()
    with pytest.raises(SourceError, match="cannot be opened") as stopped:
        house.go("run-1", DAY)
    assert not isinstance(stopped.value, AccessError), "the scheduler tries such an error again"
    assert time.monotonic() - began < 20
    untouched(house, before, readers)
    (report,) = house.settings.run_reports.glob("run-run-1.json")
    assert '"status": "failed"' in report.read_text()


@pytest.mark.fault(2, "sessions ended by the server while rows are read")
@SEVERAL
def test_the_session_is_ended(
    house: House, clean: House, published: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    counted: Counted,
) -> None:  # fmt: skip
    house.source.run(MANY.format(20_000))
    before = house.state()
    monkeypatch.setattr(postgres, "_CHUNK", 1 << 13)
    parse, ends = base.parse_lines, times(8, 2)
    for number in range(ends):
        left = [number * 20 + 5]

        def parse_and_end(lines, columns, left=left):  # type: ignore[no-untyped-def]
            if left[0] == 0:
                house.source.run(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and application_name = 'kehu extract'"
                )
            left[0] -= 1
            return parse(lines, columns)

        monkeypatch.setattr(base, "parse_lines", parse_and_end)
        with pytest.raises(SourceError, match="Reading billing"):
            house.go("run-1")
        untouched(house, before, published)
    monkeypatch.setattr(base, "parse_lines", parse)
    house.go("run-1")
    clean.go("run-1")
    assert house.state() == clean.state()
    house.check()
    counted("ends", ends)


@pytest.fixture
def own_house(new_house: Callable[[str], House], tmp_path: Path) -> Iterator[tuple[House, int]]:
    """A house on a server of its own, and the server's first process."""
    if program := missing("postgres"):
        pytest.skip(f"no {program}: servers of one's own need the postgres package")
    folder = tmp_path / "server"
    folder.mkdir()
    with own_postgres(folder) as port:
        source = started(port)
        house = new_house("house").at(source.url)
        house.source = source
        head = int((folder / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
        yield house, head


@pytest.mark.fault(2, "server processes stopped (SIGSTOP) while rows are read, then continued")
@SEVERAL
def test_the_server_hangs(
    own_house: tuple[House, int], new_house: Callable[[str], House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, _ = own_house
    house.source.run(MANY.format(60_000))
    monkeypatch.setattr(postgres, "_CHUNK", 1 << 13)
    monkeypatch.setattr(base, "SILENCE_SECONDS", 2)
    monkeypatch.setattr(base, "CONNECT_SECONDS", 2)
    parse, pids = base.parse_lines, []

    def parse_and_stop(lines, columns):  # type: ignore[no-untyped-def]
        if not pids:
            rows = house.source.ask(
                "select pid from pg_stat_activity where application_name = 'kehu extract'"
            )
            pids.extend(pid for (pid,) in rows)
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        return parse(lines, columns)

    monkeypatch.setattr(base, "parse_lines", parse_and_stop)
    began = time.monotonic()
    try:
        with pytest.raises(SourceError):
            house.go("run-0")
        assert time.monotonic() - began < 40, "an endless hang"
    finally:
        for pid in pids:
            # A session that had sent all of its table is gone.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert house.state() == {}
    house.go("run-0")
    clean = new_house("clean").at(house.source.url)
    clean.go("run-0")
    assert house.state() == clean.state()
    house.check()


@pytest.mark.fault(3, "network cut (reset) after a number of bytes")
@SEVERAL
def test_the_network_is_cut(
    house: House, clean: House, published: dict[str, str], counted: Counted
) -> None:
    house.source.run(MANY.format(20_000))
    before, cuts = house.state(), 0
    with network(server_port(house)) as whole:
        clean.at(house.source.through(whole.port)).go("run-1")
    cuts = times(8, 2)
    for number in range(cuts):
        after = 500 + number * (whole.passed - 500) // cuts
        with network(server_port(house), cut_after=after) as net:
            broken = house.at(house.source.through(net.port))
            try:
                broken.go("run-1")
            except SourceError as error:
                assert not isinstance(error, AccessError), "the scheduler tries it again"
                untouched(house, before, published)
            else:
                # cut before anything was asked: the connection was simply tried again
                assert net.connections > 1
                before = house.state()
    house.go("run-1")
    assert house.state() == clean.state()
    house.check()
    counted("cuts", cuts)


@pytest.mark.fault(3, "nothing passes any more (black hole), at several moments")
@SEVERAL
def test_the_network_is_a_black_hole(
    house: House, clean: House, published: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    counted: Counted,
) -> None:  # fmt: skip
    house.source.run(MANY.format(20_000))
    before = house.state()
    monkeypatch.setattr(base, "SILENCE_SECONDS", 1)
    monkeypatch.setattr(base, "CONNECT_SECONDS", 2)
    monkeypatch.setattr(base, "PAUSES", (0.1,))
    with network(server_port(house)) as whole:
        clean.at(house.source.through(whole.port)).go("run-1")
    holes = times(8, 2)
    for number in range(holes):
        after = number * whole.passed // holes
        with network(server_port(house), silent_after=after) as net:
            broken = house.at(house.source.through(net.port))
            began = time.monotonic()
            with pytest.raises(SourceError) as stopped:
                broken.go("run-1")
            assert time.monotonic() - began < 30, f"an endless hang after {after} bytes"
            assert not isinstance(stopped.value, AccessError), "the scheduler tries it again"
        untouched(house, before, published)
    house.go("run-1")
    assert house.state() == clean.state()
    house.check()
    counted("black holes", holes)


@pytest.mark.fault(3, "a slow network: the run takes longer and is right")
def test_the_network_is_slow(house: House, clean: House) -> None:
    with network(server_port(house), bytes_per_second=30_000) as net:
        house.at(house.source.through(net.port)).go("run-0")
    clean.go("run-0")
    assert house.state() == clean.state()
    house.check()


@contextmanager
def moving(source: Erp) -> Iterator[None]:
    """Money leaves a payment for a bill, one transaction each, as long as the block lasts."""
    stop, moves = threading.Event(), itertools.count()

    def move() -> None:
        with closing(psycopg2.connect(source.url)) as con, con.cursor() as cursor:
            while not stop.is_set():
                number = next(moves) % 180 + 1
                cursor.execute(
                    "update billing.bills set amount = amount + 0.01 where bill_no = %s;"
                    "update billing.payments set amount = amount - 0.01 where payment_no = %s",
                    (f"B{number:05d}", f"P{number:05d}"),
                )
                con.commit()

    mover = threading.Thread(target=move)
    mover.start()
    try:
        yield
    finally:
        stop.set()
        mover.join()


def torn(house: House, reads: int) -> int:
    """How many of so many reads see half of a move: the total is constant."""
    total = (
        "select (select sum(amount) from billing.bills)"
        " + (select sum(amount) from billing.payments)"
    )
    ((expected,),) = house.source.ask(total)
    wrong, seen = 0, set()
    with moving(house.source):
        for number in range(reads):
            batches = {b.table: b for b in house.extract(f"run-{number}", watermarks={})}
            bills, payments = landed_sum(batches["bills"]), landed_sum(batches["payments"])
            wrong += bills + payments != expected
            seen.add(bills)
    assert len(seen) > 1, "nothing moved while it was read"
    return wrong


@pytest.mark.fault(32, "money moves between accounts while they are read")
def test_no_read_is_torn(house: House, counted: Counted) -> None:
    reads = times(20, 5)
    wrong = torn(house, reads)
    counted("reads", reads)
    counted("torn", wrong)
    assert wrong == 0


@pytest.mark.fault(32, "money moves between tables while three readers read them at once")
@pytest.mark.parametrize("readers", [3])
def test_no_parallel_read_is_torn(
    house: House, counted: Counted, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    by, parse = set(), base.parse_lines

    def noted(*given):  # type: ignore[no-untyped-def]
        by.add(threading.current_thread().name)
        return parse(*given)

    monkeypatch.setattr(base, "parse_lines", noted)
    reads = times(20, 5)
    wrong = torn(house, reads)
    counted("reads", reads)
    counted("torn", wrong)
    assert wrong == 0
    assert len(by) > 1, "one reader read everything"
    assert "no further reader" not in caplog.text


@pytest.mark.fault(32, "the same without the shared snapshot: the test sees torn reads")
@pytest.mark.parametrize("readers", [3])
def test_readers_without_a_shared_snapshot_tear(
    house: House, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: each reader takes a snapshot of its own, and tells of none."""
    monkeypatch.setattr(postgres, "_IMPORT", "select %s")
    monkeypatch.setattr(postgres, "_POSITION", "select 'the same', 'nowhere'")
    reads = times(20, 5)
    wrong = torn(house, reads)
    counted("reads", reads)
    counted("torn reads seen", wrong)
    assert wrong > 0


def landed_sum(batch):  # type: ignore[no-untyped-def]
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    return pc.sum(pq.read_table(batch.data).column("amount")).as_py()


@pytest.fixture
def reader(house: House) -> Iterator[tuple[str, str]]:
    """A login of the source that may read the tables; its name and its URL."""
    name, secret = f"kehu_reader_{secrets.token_hex(4)}", f"s3cret-{secrets.token_hex(4)}"
    house.source.run(
        f"create role {name} login password '{secret}'",
        f"grant usage on schema billing to {name}",
        f"grant select on all tables in schema billing to {name}",
    )
    parts = urlsplit(house.source.url)
    netloc = f"{name}:{secret}@{parts.hostname}:{parts.port or 5432}"
    try:
        yield name, parts._replace(netloc=netloc).geturl()
    finally:
        house.source.run(f"drop owned by {name}", f"drop role {name}")


@pytest.mark.fault(35, "REVOKE on one table, expired and dropped login, then granted again")
def test_rights_are_taken_away(
    house: House, clean: House, published: dict[str, str], reader: tuple[str, str]
) -> None:
    name, url = reader
    before, refused = house.state(), house.at(url)
    house.source.run(f"revoke select on billing.payments from {name}")
    with pytest.raises(SourceError, match="42501") as stopped:
        refused.go("run-1")
    assert isinstance(stopped.value, AccessError), "such an error must not be tried again"
    untouched(house, before, published)
    house.source.run(f"grant select on billing.payments to {name}", f"alter role {name} nologin")
    with network(server_port(house)) as net:
        parts = urlsplit(url)
        shut = house.at(
            parts._replace(netloc=f"{parts.username}:wr0ng@127.0.0.1:{net.port}").geturl()
        )
        with pytest.raises(AccessError) as stopped:
            shut.go("run-1")
        assert net.connections <= 2, "one attempt (libpq may ask once without TLS)"
    untouched(house, before, published)
    secret = str(urlsplit(url).password)
    for path in house.settings.run_reports.rglob("*"):
        if path.is_file():
            assert secret not in path.read_text(), path
            assert "wr0ng" not in path.read_text(), path
    assert secret not in str(stopped.value) and "wr0ng" not in str(stopped.value)
    house.source.run(f"alter role {name} login")
    refused.go("run-1")
    clean.go("run-1")
    assert house.state() == clean.state()
    house.check()
