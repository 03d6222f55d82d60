"""The command that measures any table: on fake_1000, and what it says of input it cannot use."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.__main__ import main

FAKE = Path(__file__).parents[2] / "data" / "fake_1000" / "fake_1000.csv.gz"
MAPPING = """
record_id: unique_id
columns: {first_name: given_name, surname: family_name, dob: birth_date, city: place, email: email}
truth: {record: unique_id, group: cluster}
"""


def quality(*words: object) -> int:
    return main(["linkage", "quality", *map(str, words)])


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def test_a_table_that_the_code_has_not_seen(
    mapping: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Splink with its tutorial's settings reaches 0.535 here at its best threshold."""
    pairs = tmp_path / "pairs.parquet"
    assert quality("--records", FAKE, "--mapping", mapping, "--truth", FAKE, "--pairs", pairs) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "pairs from" in line]
    precision, recall, f1 = (float(cell) for cell in line.split("│")[3:6])
    assert precision > 0.98
    assert recall > 0.7
    assert f1 > 0.85
    assert pq.read_table(pairs).column_names == ["left_id", "right_id", "match_probability"]


def test_a_kind_that_does_not_exist(mapping: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping.write_text(MAPPING.replace("given_name", "forename"), encoding="utf-8")
    assert quality("--records", FAKE, "--mapping", mapping) == 2
    assert "kinds that do not exist: forename" in capsys.readouterr().err


def test_a_column_that_is_not_there(mapping: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping.write_text(MAPPING.replace("surname:", "family:"), encoding="utf-8")
    assert quality("--records", FAKE, "--mapping", mapping) == 2
    assert "no column family" in capsys.readouterr().err


@pytest.mark.parametrize(("customer", "status"), [("abcd", 0), ("abce", 1)])
def test_the_floors_of_the_demo(tmp_path: Path, customer: str, status: int) -> None:
    """Four records of two parties, published as they are, or one apart."""
    keys = {"source_system": ["his"] * 4, "source_record_id": list("1234")}
    groups = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"}
    bridge = {**keys, "customer_id": [groups[c] for c in customer], "valid_to": pa.nulls(4)}
    published = tmp_path / "published" / "parquet" / "v1" / "customer"
    published.mkdir(parents=True)
    (tmp_path / "sources" / "truth").mkdir(parents=True)
    pq.write_table(pa.table(bridge), published / "bridge_customer_records.parquet")
    pq.write_table(
        pa.table({**keys, "party_id": ["p", "p", "q", "q"]}),
        tmp_path / "sources" / "truth" / "truth.parquet",
    )
    assert quality("--demo", tmp_path) == status
