"""Landing in a bucket: the same promises as in a folder, with several machines at it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extract import bucket as buckets
from extract import landing, leftovers
from extract.landing import Batch, Manifest, Verdict
from kehu.errors import LandingError, SettingsError, StorageAccessError, StorageError
from kehu.settings import CLONE, load
from tests.conftest import TestBucket
from tests.extract.conftest import DAY
from tests.extract.test_landing import manifest

FILES = ["data.parquet", "manifest.json"]
ADDRESS = "billing/bills/dt=2026-01-31/batch="


@pytest.fixture
def here(tmp_path: Path, bucket: TestBucket) -> Path:
    """Where this machine keeps its copies."""
    return machine(tmp_path / "here", bucket)


@pytest.fixture
def there(tmp_path: Path, bucket: TestBucket) -> Path:
    """Where another machine keeps its copies."""
    return machine(tmp_path / "there", bucket)


def machine(home: Path, bucket: TestBucket) -> Path:
    return load({"KEHU_HOME": str(home), "KEHU_LANDING": bucket.url}).landing


def batch_in(root: Path, age: timedelta = timedelta()) -> Batch:
    moment = datetime.now(UTC) - age
    return Batch(root, "billing", "bills", DAY, landing.new_batch_id("run", moment))


def manifest_of(batch: Batch) -> Manifest:
    return Manifest(**(vars(manifest()) | {"batch_id": batch.batch_id}))


def land(batch: Batch) -> Batch:
    with landing.writing(batch) as folder:
        pq.write_table(pa.table({"a": [1, 2]}), folder / "data.parquet")
        landing.seal(folder, manifest_of(batch))
    return batch


def judge(batch: Batch, rows: int = 2) -> Verdict:
    pq.write_table(pa.table({"a": list(range(rows))}), batch.passed)
    verdict = Verdict(
        "billing", "bills", batch.batch_id, True, 2, rows, 2 - rows, {}, "", "k1", 0.1,
        files={"passed.parquet": landing.sha256(batch.passed)},
    )  # fmt: skip
    landing.write_verdict(batch, verdict)
    return verdict


def test_another_machine_finds_reads_and_verifies_a_batch(
    here: Path, there: Path, bucket: TestBucket
) -> None:
    batch = land(batch_in(here))
    assert bucket.objects() == [f"landing/{batch.address}/{name}" for name in FILES]

    (found,) = landing.batches(there)
    sealed = landing.read_manifest(found)
    landing.verify(found, sealed.files)

    assert found == Batch.at(there, batch.address)
    assert landing.batches(there, "billing", "bills") == landing.batches(there, "billing")
    assert landing.batches(there, "his") == []
    assert pq.read_table(found.data).to_pydict() == {"a": [1, 2]}
    assert sealed == landing.read_manifest(batch)
    assert (
        found.location("data.parquet") == f"s3://{bucket.name}/landing/{batch.address}/data.parquet"
    )


def test_copies_are_private(here: Path, there: Path) -> None:
    batch = Batch.at(there, land(batch_in(here)).address)
    old = os.umask(0)
    try:
        landing.verify(batch, landing.read_manifest(batch).files)
    finally:
        os.umask(old)
    for path in there.parent.parent.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_a_batch_of_another_machine_never_changes(
    here: Path, there: Path, bucket: TestBucket
) -> None:
    batch = land(batch_in(here))
    with pytest.raises(LandingError, match="exists already"):
        land(Batch.at(there, batch.address))
    assert bucket.objects() == [f"landing/{batch.address}/{name}" for name in FILES]


def test_the_newest_verdict_counts_whoever_wrote_it(here: Path, there: Path) -> None:
    batch = land(batch_in(here))
    other = Batch.at(there, batch.address)
    assert landing.find_verdict(other) is None
    with pytest.raises(LandingError, match="does not exist"):
        landing.read_verdict(other)

    first = judge(batch)
    landing.verify(other, landing.read_verdict(other).files)
    landing.withdraw_verdict(other)
    assert landing.find_verdict(batch) is None
    second = judge(other, rows=1)

    assert first.files != second.files
    assert landing.read_verdict(batch) == second
    landing.verify(batch, second.files)  # the first copy is replaced
    assert pq.read_metadata(batch.passed).num_rows == 1


def test_a_failure_leaves_nothing(here: Path, bucket: TestBucket) -> None:
    with pytest.raises(RuntimeError, match="midway"), landing.writing(batch_in(here)) as folder:
        pq.write_table(pa.table({"a": [1, 2]}), folder / "data.parquet")
        batch = Batch.at(here, folder.relative_to(here).parent / folder.name[1:].split(".")[0])
        landing.seal(folder, manifest_of(batch))
        assert bucket.objects() == [f"landing/{batch.address}/data.parquet"]
        raise RuntimeError("midway")

    assert bucket.objects() == []
    assert [path for path in here.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("put_before", [1, 2])
def test_a_kill_between_uploads_leaves_nothing_visible(
    here: Path, there: Path, bucket: TestBucket, put_before: int
) -> None:
    """Killed before the first and before the last request of a batch of two files."""
    code = f"""
import os, signal
from pathlib import Path
from extract import bucket, landing
from tests.extract.test_bucket import batch_in, land
put, calls = bucket.Bucket.put, []
def killed(*arguments):
    calls.append(1)
    if len(calls) == {put_before}:
        os.kill(os.getpid(), signal.SIGKILL)
    put(*arguments)
bucket.Bucket.put = killed
land(batch_in(Path({str(here)!r})))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=CLONE, check=False)

    assert done.returncode == -signal.SIGKILL
    assert len(bucket.objects()) == put_before - 1
    assert landing.batches(here) == landing.batches(there) == []
    assert len(leftovers.sweep(here / "billing")) == 1
    assert [path for path in here.rglob("*") if path.is_file()] == []
    batch = land(batch_in(here))
    assert landing.batches(there) == [Batch.at(there, batch.address)]


def test_parts_that_were_never_shown_are_swept_a_day_later(
    here: Path, there: Path, bucket: TestBucket
) -> None:
    shown = land(batch_in(here, timedelta(days=30)))
    running, dead = batch_in(here), batch_in(here, leftovers.LONGEST + timedelta(minutes=1))
    for batch in (running, dead):
        key = f"landing/{batch.address}/data.parquet"
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"half")

    assert leftovers.sweep(there / "billing") == [there / dead.address / "data.parquet"]

    assert sorted(bucket.objects()) == sorted(
        [f"landing/{shown.address}/{name}" for name in FILES]
        + [f"landing/{running.address}/data.parquet"]
    )


def test_old_copies_go_and_come_back_when_needed(here: Path) -> None:
    old, new = land(batch_in(here)), land(batch_in(here))
    moment = (datetime.now(UTC) - leftovers.COPIES_KEPT).timestamp() - 60
    os.utime(old.path, (moment, moment))

    assert leftovers.sweep(here / "billing") == [old.path]

    assert not old.path.exists()
    assert new.data.is_file()
    landing.verify(old, landing.read_manifest(old).files)
    assert old.data.is_file()


@pytest.mark.parametrize("damage", ["flip", "gone"])
def test_what_differs_in_the_bucket_is_refused(
    here: Path, there: Path, bucket: TestBucket, damage: str
) -> None:
    batch = Batch.at(there, land(batch_in(here)).address)
    key = f"landing/{batch.address}/data.parquet"
    if damage == "flip":
        bucket.flip(key)
    else:
        bucket.client.delete_object(Bucket=bucket.name, Key=key)

    for _ in range(2):  # and no bad copy stays to be trusted the second time
        with pytest.raises(LandingError, match="SHA-256 differs") as found:
            landing.verify(batch, landing.read_manifest(batch).files)
        assert found.value.where == f"s3://{bucket.name}/{key}"
        assert not batch.data.exists()


def test_a_damaged_copy_is_fetched_again(here: Path) -> None:
    batch = land(batch_in(here))
    batch.data.write_bytes(b"rotten")
    landing.verify(batch, landing.read_manifest(batch).files)
    assert pq.read_table(batch.data).num_rows == 2


def test_an_endpoint_that_does_not_answer_may_answer_later(
    tmp_path: Path, bucket: TestBucket
) -> None:
    settings = load(
        {
            "KEHU_HOME": str(tmp_path),
            "KEHU_LANDING": f"s3://{bucket.name}/landing?endpoint_override=http://127.0.0.1:9",
        }
    )
    with pytest.raises(StorageError, match=r"does not answer.*NETWORK_CONNECTION") as found:
        landing.batches(settings.landing)
    assert not isinstance(found.value, StorageAccessError)
    assert "endpoint" in found.value.do
    assert found.value.where == f"s3://{bucket.name}/landing"


def test_a_missing_bucket_is_not_an_empty_one(tmp_path: Path, bucket: TestBucket) -> None:
    url = bucket.url.replace(bucket.name, "kehu-no-such-bucket")
    settings = load({"KEHU_HOME": str(tmp_path), "KEHU_LANDING": url})
    for attempt in (landing.batches, lambda root: land(batch_in(root))):
        with pytest.raises(StorageAccessError, match="no such bucket") as found:
            attempt(settings.landing)
        assert found.value.where == "s3://kehu-no-such-bucket/landing"
        assert "KEHU_LANDING" in found.value.do


def test_a_bucket_that_goes_away_is_not_an_empty_one(here: Path, bucket: TestBucket) -> None:
    land(batch_in(here))
    for key in bucket.objects():
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    bucket.client.delete_bucket(Bucket=bucket.name)
    with pytest.raises(StorageAccessError, match="no such bucket"):
        landing.batches(here)


def test_denied_access_is_told_without_a_secret(
    here: Path, bucket: TestBucket, object_store: str
) -> None:
    land(batch_in(here))
    buckets._connect.cache_clear()
    try:
        _ask_for_rights(object_store, True)
        with pytest.raises(StorageAccessError, match="refuses us") as found:
            landing.batches(here)
    finally:
        _ask_for_rights(object_store, False)
        buckets._connect.cache_clear()
    assert "AWS_ACCESS_KEY_ID" in found.value.do
    for text in (str(found.value), repr(found.value), repr(buckets.behind(here))):
        assert "test-access-key" not in text
        assert "test-secret-key" not in text


def _ask_for_rights(object_store: str, ask: bool) -> None:
    """Let the server know nobody, or let everybody in."""
    request = urllib.request.Request(
        f"{object_store}/moto-api/reset-auth",
        data=b"0" if ask else b"inf",
        headers={"Content-Type": "text/plain"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.loads(answer.read())["status"] == "ok"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("s3://AKIDEXAMPLE:secret@bucket/landing", "holds a key"),
        ("gs://bucket/landing", "cannot lie at gs"),
        (f"s3://bucket/{'x' * 250}", "longer"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(text: str, what: str) -> None:
    with pytest.raises(SettingsError, match=what) as found:
        load({"KEHU_LANDING": text})
    assert "secret" not in str(found.value)


@pytest.mark.parametrize("text", ["s3://bucket/x?access_key=1", "s3:///landing"])
def test_unknown_options_and_missing_names_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="cannot be used") as found:
        landing.batches(load({"KEHU_LANDING": text}).landing)
    assert "endpoint_override, region" in found.value.do


def test_a_folder_may_lie_elsewhere(tmp_path: Path) -> None:
    assert load({"KEHU_LANDING": str(tmp_path)}).landing == tmp_path
    assert load({"KEHU_LANDING": "elsewhere"}).landing == CLONE / "elsewhere"
    batch = land(batch_in(tmp_path))
    assert batch.location("data.parquet") == str(batch.data)
