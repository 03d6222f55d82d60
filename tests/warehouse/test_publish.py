"""Publications are whole, audited and switched at once; failures leave the last one."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from kehu.errors import ValidationError, WarehouseError
from kehu.settings import CLONE, Settings
from tests.warehouse.landed import settings_at
from warehouse import connection, publish, raw, runs
from warehouse.hashes import table_hashes

MARTS = ("customer.customer_360", "value.rfm", "credit.receivables_ageing")

READER = """
import sys, time
from pathlib import Path
import duckdb
from warehouse import connection

link, stop, tables, direct = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(), sys.argv[4]
seen, reads = set(), 0
print("reading", flush=True)
while reads < 3 or not stop.exists():
    opened = (
        duckdb.connect(str(link), read_only=True) if direct == "direct"
        else connection.read_published(link)
    )
    with opened as con:
        found = set()
        for table in tables:
            found |= set(con.execute(f"select distinct run_id, 'run-' || build from {table}")
                         .fetchall())
    assert len(found) == 1, found
    run_id, build = found.pop()
    assert run_id == build, (run_id, build)
    seen.add(run_id)
    reads += 1
    time.sleep(0.05)
print(reads, *sorted(seen), flush=True)
"""

FULL_DISK = """
import resource, sys
from kehu import settings
from kehu.errors import WarehouseError
from warehouse import publish

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    publish.publish(settings.load({"KEHU_HOME": sys.argv[1]}), "run-2")
except WarehouseError as error:
    print(error)
    sys.exit(3)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def build(settings: Settings, number: int, rows: int = 1000) -> str:
    """Marts as dbt leaves them; every row says which build it is of."""
    run_id = f"run-{number}"
    raw.create_all([], settings)
    with runs.run(settings, run_id, "build_customer_marts"), connection.write(settings) as con:
        con.execute("create schema if not exists staging")
        con.execute("create or replace table staging.secret as select 'CANARY' as name")
        for mart in MARTS:
            con.execute(f"create schema if not exists {mart.split('.')[0]}")
            con.execute(
                f"create or replace table {mart} as select 'K' || range as customer_id,"
                f" {number} as build, cast(range as decimal(18, 2)) / 8 as amount,"
                f" md5(cast(range as varchar)) as text from range({rows})"
            )
        con.execute(
            "create or replace view customer.masked as"
            ' select customer_id from "kehu-work".value.rfm'
        )
        con.execute("comment on table value.rfm is 'Recency. One row per customer.'")
        con.execute("comment on column value.rfm.amount is 'Money, exactly.'")
    return run_id


def listing(settings: Settings) -> set[str]:
    found = (path.relative_to(settings.published) for path in settings.published.rglob("*"))
    return {str(path) for path in found if path.name != ".publishing"}


def test_a_publication_is_whole(settings: Settings) -> None:
    file = publish.publish(settings, build(settings, 1))
    assert settings.published_file.resolve() == file.resolve()
    assert datetime.strptime(file.name[5:21], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert file.name[21:] == "-" + hashlib.sha256(b"run-1").hexdigest()[:4] + ".duckdb"
    with connection.read_published(settings.published_file) as con:
        tables = con.execute(
            "select table_schema || '.' || table_name, table_type from information_schema.tables"
        ).fetchall()
        assert {name for name, _ in tables} == {
            *MARTS,
            "customer.masked",
            "ops.runs",
            "ops.stage_seconds",
            "ops.reconciliation",
        }
        assert {kind for _, kind in tables} == {"BASE TABLE"}
        for mart in (*MARTS, "customer.masked"):
            assert con.execute(
                f"select count(*), count(distinct run_id), min(run_id) from {mart}"
            ).fetchone() == (1000, 1, "run-1")
        assert con.execute(
            "select typeof(amount), sum(amount) from value.rfm group by 1"
        ).fetchone()
        assert con.execute("select version, status from ops.runs").fetchone() == (
            file.stem,
            "success",
        )
        assert con.execute(
            "select comment from duckdb_columns() where table_name = 'rfm' and comment is not null"
        ).fetchall() == [("Money, exactly.",)]
        assert con.execute(
            "select comment from duckdb_tables() where table_name = 'rfm'"
        ).fetchall() == [("Recency. One row per customer.",)]
    parquet = settings.published / "parquet" / "current"
    for mart in MARTS:
        path = parquet / mart.replace(".", "/")
        found = duckdb.sql(f"select count(*), min(run_id) from '{path}.parquet'").fetchone()
        assert found == (1000, "run-1")
    assert b"CANARY" not in file.read_bytes()
    with connection.read(settings) as con:
        assert con.execute("select version from ops.runs").fetchone() == (file.stem,)


def test_duckdb_1_4_can_read_it(settings: Settings) -> None:
    file = publish.publish(settings, build(settings, 1))
    assert connection.storage_version(file) == "v1.4.0+"
    # the header says the same: magic, then the version of the storage format, 67 since 1.4
    header = file.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 67


def test_published_files_are_for_the_owner_only(settings: Settings) -> None:
    publish.publish(settings, build(settings, 1))
    for path in [settings.published, *settings.published.rglob("*")]:
        if not path.is_symlink():
            expected = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_three_versions_are_kept_and_names_go_up(settings: Settings) -> None:
    files = [publish.publish(settings, build(settings, n, rows=5)) for n in range(5)]
    assert files == sorted(files)
    assert publish.versions(settings) == files[-3:]
    kept = {path.name for path in (settings.published / "parquet").glob("kehu-*")}
    assert kept == {file.stem for file in files[-3:]}
    assert settings.published_file.readlink() == Path(files[-1].name)
    assert (settings.published / "parquet" / "current").readlink() == Path(files[-1].stem)
    assert not settings.published_file.readlink().is_absolute()


def test_the_same_content_has_the_same_hash(settings: Settings) -> None:
    build(settings, 1)
    first = table_hashes(publish.publish(settings, "run-1"))
    with connection.write(settings) as con:
        con.execute("create or replace table value.rfm as from value.rfm order by text")
    second = table_hashes(publish.publish(settings, "run-2"))
    assert first == second
    assert set(first) == {*MARTS, "customer.masked"}
    with connection.write(settings) as con:
        con.execute("update value.rfm set amount = amount + 0.01 where customer_id = 'K77'")
    third = table_hashes(publish.publish(settings, "run-3"))
    assert {name for name in first if first[name] != third[name]} == {"value.rfm"}


def test_a_view_that_cannot_be_computed_is_named_without_its_values(settings: Settings) -> None:
    first = publish.publish(settings, build(settings, 1))
    run_id = build(settings, 2)
    with connection.write(settings) as con:
        con.execute(
            "create or replace view value.sums as select cast(text as integer) as number"
            ' from "kehu-work".value.rfm'
        )
    with pytest.raises(WarehouseError, match=r"value\.sums cannot be computed") as caught:
        publish.publish(settings, run_id)
    assert hashlib.md5(b"0").hexdigest() not in str(caught.value)
    assert "sums.sql" in str(caught.value)
    assert settings.published_file.resolve() == first.resolve()


def test_the_audit_sees_the_finished_file_before_readers(settings: Settings) -> None:
    publish.publish(settings, build(settings, 1))
    seen = []

    def audit(path: Path) -> None:
        with connection.read_published(path) as con:
            seen.extend(con.execute("select distinct run_id from value.rfm").fetchall())
        with connection.read_published(settings.published_file) as con:
            seen.extend(con.execute("select distinct run_id from value.rfm").fetchall())

    publish.publish(settings, build(settings, 2), audit)
    assert seen == [("run-2",), ("run-1",)]


def test_a_failed_audit_leaves_the_last_publication(settings: Settings) -> None:
    publish.publish(settings, build(settings, 1))
    before = listing(settings), table_hashes(settings.published_file)

    def audit(path: Path) -> None:
        raise ValidationError("A promise is broken.", where=str(path), do="build again")

    with pytest.raises(ValidationError, match="promise"):
        publish.publish(settings, build(settings, 2), audit)
    assert (listing(settings), table_hashes(settings.published_file)) == before


@pytest.mark.parametrize("share", [0.1, 0.9])
@pytest.mark.fault(17, "files of a publication limited in size")
def test_a_full_disk_leaves_the_last_publication(settings: Settings, share: float) -> None:
    size = publish.publish(settings, build(settings, 1, rows=20_000)).stat().st_size
    before = listing(settings), table_hashes(settings.published_file)
    build(settings, 2, rows=20_000)
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(settings.home), str(int(size * share))],
        env={"PYTHONPATH": str(CLONE), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert "Readers keep the last one" in result.stdout
    assert (listing(settings), table_hashes(settings.published_file)) == before


def test_what_a_kill_left_is_swept(settings: Settings) -> None:
    publish.publish(settings, build(settings, 1))
    pid = os.fork()
    if pid == 0:
        publish.publish(settings, "run-2", lambda _: os.kill(os.getpid(), 9))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    assert any("unfinished" in name for name in listing(settings))
    with connection.read_published(settings.published_file) as con:
        assert con.execute("select distinct run_id from value.rfm").fetchall() == [("run-1",)]
    publish.publish(settings, "run-3")
    assert not any("unfinished" in name for name in listing(settings))


def test_a_publication_killed_before_its_file_stood_is_done_in_the_same_second(
    settings: Settings,
) -> None:
    """Its Parquet folder has the name that the next try would take."""
    run_id = build(settings, 1)
    tail = hashlib.sha256(run_id.encode()).hexdigest()[:4]
    settings.published.mkdir(parents=True)
    (settings.published / "kehu-20991231T235957Z-aaaa.duckdb").touch()
    left = settings.published / "parquet" / f"kehu-20991231T235958Z-{tail}"
    left.mkdir(parents=True)
    (left / "rfm.parquet").touch()

    final = publish.publish(settings, run_id)

    assert final.stem == f"kehu-20991231T235959Z-{tail}"
    assert settings.published_file.resolve() == final
    assert not left.exists()


def test_two_publishers_at_once_are_refused(settings: Settings) -> None:
    build(settings, 1)

    def second(_: Path) -> None:
        with pytest.raises(WarehouseError, match="Another process is publishing"):
            publish.publish(settings, "run-1")

    publish.publish(settings, "run-1", second)


def test_without_marts_nothing_is_published(settings: Settings) -> None:
    raw.create_all([], settings)
    with pytest.raises(WarehouseError, match="no marts"):
        publish.publish(settings, "run-1")
    assert listing(settings) == {"parquet"}


def test_readers_never_see_an_error_or_a_mix(settings: Settings, tmp_path: Path) -> None:
    publish.publish(settings, build(settings, 0, rows=200))
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                READER,
                str(settings.published_file),
                str(stop),
                " ".join(MARTS),
                how,
            ],
            env={"PYTHONPATH": str(CLONE), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for how in ("direct", "direct", "module", "module")
    ]
    for reader in readers:
        assert reader.stdout is not None and reader.stdout.readline() == "reading\n"
    for number in range(1, 11):
        with connection.write(settings) as con:
            for mart in MARTS:
                con.execute(f"update {mart} set build = {number}")
        publish.publish(settings, f"run-{number}")
    stop.touch()
    seen: set[str] = set()
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        reads, *run_ids = out.split()
        assert int(reads) >= 3
        seen |= set(run_ids)
    assert len(seen) > 3, "the readers did not read while publications were switched"
