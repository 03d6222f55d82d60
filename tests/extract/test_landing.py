"""Landing: whole or not at all, private, and checked before it is used."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from extract import landing, leftovers, parquet
from extract.contract import read
from extract.landing import Batch, Manifest
from kehu.errors import LandingError
from kehu.settings import CLONE
from tests.extract.conftest import DAY, Source, Workplace, column, key

BATCH_ID = "20260131T000000000000Z-abcd"


def batch_in(root: Path) -> Batch:
    return Batch(root, "billing", "bills", DAY, BATCH_ID)


def manifest() -> Manifest:
    return Manifest(
        system="billing",
        table="bills",
        day="2026-01-31",
        batch_id=BATCH_ID,
        contract_version="1.0.0",
        extracted_at="2026-01-31T00:00:00+00:00",
        snapshot=False,
        cursor_from=None,
        cursor_to=None,
        source_rows=2,
        landed_rows=2,
        source_keys=None,
        control_sums={},
        new_columns=[],
        seconds=0.1,
    )


def land(root: Path) -> Batch:
    batch = batch_in(root)
    with landing.writing(batch) as folder:
        pq.write_table(pa.table({"a": [1, 2]}), folder / "data.parquet")
        landing.seal(folder, manifest())
    return batch


def test_a_batch_is_found_read_and_verified(tmp_path: Path) -> None:
    batch = land(tmp_path / "home" / "landing")

    sealed = landing.read_manifest(batch)

    assert landing.batches(tmp_path / "home" / "landing") == [batch]
    assert Batch.at(batch.root, str(batch.address)) == batch
    assert list(sealed.files) == ["data.parquet"]
    landing.verify(batch, sealed.files)


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        batch = land(tmp_path / "home" / "landing")
    finally:
        os.umask(old)

    for path in (tmp_path / "home").rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert batch.data.is_file()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    batch = batch_in(tmp_path)

    with pytest.raises(RuntimeError, match="midway"), landing.writing(batch) as folder:
        (folder / "data.parquet").write_bytes(b"half")
        raise RuntimeError("midway")
    with pytest.raises(LandingError, match="no manifest"), landing.writing(batch) as folder:
        (folder / "data.parquet").write_bytes(b"whole, but not sealed")

    assert landing.batches(tmp_path) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_batch_never_changes(tmp_path: Path) -> None:
    land(tmp_path)

    with pytest.raises(LandingError, match="exists already"):
        land(tmp_path)


def test_a_killed_extraction_is_invisible_and_swept(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from extract import landing\n"
        "from tests.extract.test_landing import batch_in\n"
        f"with landing.writing(batch_in(Path({str(tmp_path)!r}))) as folder:\n"
        "    (folder / 'data.parquet').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CLONE, check=False)

    assert done.returncode == -signal.SIGKILL
    assert landing.batches(tmp_path) == []
    assert len(leftovers.sweep(tmp_path / "billing")) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    land(tmp_path)


def test_a_running_extraction_is_not_swept(tmp_path: Path) -> None:
    with landing.writing(batch_in(tmp_path)) as folder:
        assert leftovers.sweep(tmp_path / "billing") == []
        pq.write_table(pa.table({"a": [1]}), folder / "data.parquet")
        landing.seal(folder, manifest())


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone", "swap"])
@pytest.mark.fault(24, "landed files cut, emptied, flipped")
def test_every_damage_to_a_file_is_found(tmp_path: Path, damage: str) -> None:
    batch = land(tmp_path)
    content = bytearray(batch.data.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "cut":
        del content[-1:]
    elif damage == "empty":
        content.clear()
    elif damage == "swap":
        pq.write_table(pa.table({"a": [1, 3]}), batch.data)
        content = bytearray(batch.data.read_bytes())
    batch.data.write_bytes(content)
    if damage == "gone":
        batch.data.unlink()

    with pytest.raises(LandingError, match="SHA-256 differs") as found:
        landing.verify(batch, landing.read_manifest(batch).files)

    assert str(batch.data) in str(found.value)


def test_a_broken_manifest_and_a_wrong_address_are_named(tmp_path: Path) -> None:
    batch = land(tmp_path)
    manifest_file = batch.path / "manifest.json"
    manifest_file.write_text("{", encoding="utf-8")
    with pytest.raises(LandingError, match="not valid JSON"):
        landing.read_manifest(batch)
    with pytest.raises(LandingError, match="does not exist"):
        landing.read_verdict(batch)
    for address in ("billing/bills", "../x/dt=2026-01-31/batch=1", "a/b/dt=31.1.2026/batch=1"):
        with pytest.raises(LandingError, match="no address of a batch"):
            Batch.at(tmp_path, address)


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [landing.new_batch_id("run") for _ in range(50)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 50


def test_footers_hold_no_personal_value(place: Workplace) -> None:
    columns = [
        key("bill_no"),
        column("holder", "varchar", classification="personal"),
        column("phone", "varchar", classification="identifier"),
        column("diagnosis", "varchar", classification="health"),
    ]
    contract = read(place.contract("bills", columns))
    path = place.root / "data.parquet"
    rows = [{"bill_no": "B1", "holder": "Canary", "phone": "138", "diagnosis": "J45"}]
    batch = pa.RecordBatch.from_pylist(rows, contract.arrow_schema)

    parquet.write(path, contract.arrow_schema, [batch], contract.columns)

    group = pq.ParquetFile(path).metadata.row_group(0)
    statistics = [group.column(position).statistics for position in range(4)]
    assert statistics[0] is not None
    assert statistics[0].min == "B1"
    assert statistics[1:] == [None, None, None]
    assert {group.column(position).compression for position in range(4)} == {"ZSTD"}


def test_a_flipped_bit_in_a_page_is_noticed_while_measuring(place: Workplace) -> None:
    contract = read(place.contract("bills", [key("bill_no"), column("amount", "decimal(18,2)")]))
    path = place.root / "data.parquet"
    numbers = [str(number * 7919 % 10_007) for number in range(10_000)]
    amounts = pa.array(numbers).cast(pa.decimal128(18, 2))
    batch = pa.RecordBatch.from_arrays([pa.array(numbers), amounts], schema=contract.arrow_schema)
    parquet.write(path, contract.arrow_schema, [batch], contract.columns)
    assert parquet.measure(path, contract, date(2026, 1, 31)).rows == 10_000
    place_of = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    content = bytearray(path.read_bytes())
    content[place_of + 2_000] ^= 1
    path.write_bytes(content)

    with pytest.raises(OSError, match=r"(?i)crc"):
        parquet.measure(path, contract, date(2026, 1, 31))


def test_a_full_disk_is_one_clear_error(source: Source, place: Workplace) -> None:
    """A limit on the size of files stands for the disk: the same error reaches the writer."""
    source.run("CREATE TABLE bills (bill_no varchar(400) PRIMARY KEY)")
    rows = [[os.urandom(150).hex()] for _ in range(2_000)]
    source.run("INSERT INTO bills VALUES (?)", rows=rows)
    place.contract("bills", [key("bill_no")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(LandingError, match="The batch cannot be written") as stopped:
            place.extract()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert "landing/billing/bills" in str(stopped.value)
    assert "free space" in str(stopped.value)
    assert [path for path in place.root.glob("home/**/*") if path.is_file()] == []


def test_a_dictionary_only_where_cells_repeat(tmp_path: Path) -> None:
    rows = 10_000
    batch = pa.record_batch(
        {
            "bill_no": [str(number) for number in range(rows)],
            "state": ["paid", "open"] * (rows // 2),
            "amount": pa.array([Decimal(number) for number in range(rows)], pa.decimal128(15, 2)),
        }
    )
    path = tmp_path / "data.parquet"

    parquet.write(path, batch.schema, [batch], [])

    group = pq.ParquetFile(path).metadata.row_group(0)
    encodings = [group.column(number).encodings for number in range(3)]
    assert ["RLE_DICTIONARY" in found for found in encodings] == [False, True, False]
    assert group.column(2).physical_type == "INT64"
    assert pq.read_table(path).equals(pa.Table.from_batches([batch]))


def test_one_group_of_rows_is_in_memory_at_a_time_and_all_but_the_last_are_full(
    tmp_path: Path,
) -> None:
    path, schema = tmp_path / "numbers.parquet", pa.schema([("number", pa.int64())])
    size, count = 50_000, 12
    before, held = pa.total_allocated_bytes(), []

    def numbers() -> Iterator[pa.RecordBatch]:
        for index in range(count):
            held.append(pa.total_allocated_bytes() - before)
            yield pa.RecordBatch.from_arrays(
                [pc.add(pa.array(range(size), pa.int64()), index)], schema=schema
            )

    assert parquet.write(path, schema, numbers(), []) == size * count

    groups = pq.read_metadata(path)
    rows = [groups.row_group(n).num_rows for n in range(groups.num_row_groups)]
    assert rows == [*[parquet.ROW_GROUP] * 4, size * count - 4 * parquet.ROW_GROUP]
    # the batches that wait for their group, and what the writer itself keeps
    assert max(held) < 2 * parquet.ROW_GROUP * 8, held
