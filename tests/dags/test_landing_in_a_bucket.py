"""One system through every stage: landing in a bucket, each stage on a machine of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from demo.lifecycle import create
from expectations import gate, replay
from extract import landing
from extract.landing import Batch
from extract.run import extract_system
from kehu.errors import LandingError
from kehu.settings import Settings, load
from tests.conftest import TestBucket
from warehouse import __main__ as command
from warehouse import connection, raw

DAY = date(2026, 1, 31)
SYSTEM = "service"


@dataclass(frozen=True)
class Machines:
    """Homes of machines that share a bucket and see the same sources."""

    root: Path
    landing_url: str

    def named(self, name: str, landing_url: str | None = None) -> Settings:
        return load(
            {
                "KEHU_HOME": str(self.root / name),
                "KEHU_LANDING": self.landing_url if landing_url is None else landing_url,
                "KEHU_CONTRACTS": "extract/contracts",
                f"KEHU_{SYSTEM.upper()}_URL": f"sqlite:///{self.root}/sources/sources/{SYSTEM}.db",
            }
        )


@pytest.fixture
def machines(tmp_path: Path, bucket: TestBucket) -> Machines:
    create(load({"KEHU_HOME": str(tmp_path / "sources")}), customers=150, seed=7, day=DAY)
    return Machines(tmp_path, bucket.url)


def extract(settings: Settings) -> list[str]:
    batches = extract_system(SYSTEM, day=DAY, run_id="run", watermarks={}, settings=settings)
    return [str(batch.address) for batch in batches]


def validate(settings: Settings, addresses: list[str]) -> None:
    batches = [Batch.at(settings.landing, address) for address in addresses]
    gate.require_passed(gate.validate_all(batches, settings))


def load_into(settings: Settings, addresses: list[str]) -> None:
    raw.load_all([Batch.at(settings.landing, each) for each in addresses], settings, "run")


def rows(settings: Settings) -> dict[str, list[Any]]:
    """Every row of every raw table, without what differs between two extractions."""
    with connection.read(settings) as con:
        tables = con.execute(
            "select table_name from information_schema.tables where table_schema = 'raw' order by 1"
        ).fetchall()
        return {
            table: con.execute(
                f'select * exclude (_batch_id, _loaded_at) from raw."{table}" order by all'
            ).fetchall()
            for (table,) in tables
        }


def test_three_machines_and_a_bucket_end_with_the_rows_of_one_folder(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = machines.named("one", landing_url="")
    addresses = extract(one)
    validate(one, addresses)
    load_into(one, addresses)
    expected = rows(one)
    assert sum(map(len, expected.values())) > 200

    addresses = extract(machines.named("extractor"))
    validate(machines.named("judge"), addresses)
    load_into(machines.named("loader"), addresses)
    assert rows(machines.named("loader")) == expected

    rebuilder = machines.named("rebuilder")
    assert not rebuilder.landing.exists()
    for name in ("KEHU_HOME", "KEHU_LANDING", "KEHU_CONTRACTS"):
        value = {"KEHU_HOME": rebuilder.home, "KEHU_LANDING": rebuilder.landing_url}
        monkeypatch.setenv(name, str(value.get(name, "extract/contracts")))
    assert command.main(["load", "--all"]) == 0
    assert rows(rebuilder) == expected

    waiting = next(
        batch
        for batch in landing.batches(rebuilder.landing)
        if landing.read_verdict(batch).quarantined_rows
        and not landing.read_manifest(batch).snapshot
    )
    fourth = machines.named("fourth")
    ((again, verdict),) = replay.replay(SYSTEM, waiting.table, fourth, waiting.batch_id)
    assert landing.read_manifest(again).replay_of == str(waiting.address)
    assert verdict.landed_rows == landing.read_verdict(waiting).quarantined_rows
    assert Batch.at(rebuilder.landing, again.address) in landing.batches(rebuilder.landing)


def test_a_flipped_bit_in_the_bucket_stops_the_load_before_it_writes(
    machines: Machines, bucket: TestBucket
) -> None:
    judge, loader = machines.named("judge"), machines.named("loader")
    addresses = extract(judge)
    validate(judge, addresses)
    bucket.flip(f"landing/{addresses[3]}/passed.parquet")

    with pytest.raises(LandingError, match="SHA-256 differs") as found:
        load_into(loader, addresses)

    assert addresses[3] in found.value.where
    assert not loader.work_file.exists()

    # The rows are still in data.parquet: judged again, they load.
    validate(machines.named("second judge"), addresses)
    load_into(loader, addresses)
    assert sum(map(len, rows(loader).values())) > 200


def test_a_flipped_bit_in_the_landed_rows_stops_the_gate(
    machines: Machines, bucket: TestBucket
) -> None:
    addresses = extract(machines.named("extractor"))
    bucket.flip(f"landing/{addresses[0]}/data.parquet")
    judge = machines.named("judge")
    with pytest.raises(LandingError, match="SHA-256 differs"):
        validate(judge, addresses)
    assert landing.find_verdict(Batch.at(judge.landing, addresses[0])) is None
