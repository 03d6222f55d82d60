"""What an engine promises, on both: tables go in and come out as they are."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kehu.errors import WarehouseError
from kehu.settings import Settings
from tests.warehouse.engines.conftest import Open
from warehouse.engines import Engine
from warehouse.engines.lake import Lake

ROWS = pa.table(
    {
        "customer": ["客户一", "O'Neill", "a\\b", None],
        "score": pa.array([1, 2**40, None, -1], pa.int64()),
        "rank": pa.array([1, 2, 3, None], pa.int32()),
        "share": [0.1, 1e-300, None, -0.0],
        "amount": pa.array([Decimal("9999999999999999.99"), None, Decimal("-0.01"), Decimal(0)])
        .cast(pa.decimal128(18, 2)),
        "day": [date(2024, 2, 29), None, date(1970, 1, 1), date(9999, 12, 31)],
        "moment": pa.array(
            [datetime.fromisoformat("2026-01-31T23:59:59.999999"), None, None, None],
            pa.timestamp("us"),
        ),
        "new": [True, False, None, True],
    }
)  # fmt: skip


def _rows(table: pa.Table) -> list[str]:
    return sorted(map(repr, table.to_pylist()))


def test_a_table_comes_back_as_it_was_written(engine: Engine) -> None:
    engine.write("analytics.scores", ROWS)
    with engine.read("analytics.scores") as reader:
        assert reader.schema.types == ROWS.schema.types
        assert _rows(reader.read_all()) == _rows(ROWS)
    assert engine.fetch("select count(*), max(score) from analytics.scores") == [(4, 2**40)]


def test_a_table_is_written_anew_under_its_name(engine: Engine) -> None:
    engine.write("analytics.again", ROWS)
    engine.write("analytics.again", ROWS.select(["day", "share"]).slice(0, 1))
    with engine.read("analytics.again") as reader:
        assert reader.read_all().to_pylist() == [{"day": date(2024, 2, 29), "share": 0.1}]


def test_a_table_without_rows_keeps_its_columns(engine: Engine) -> None:
    engine.write("analytics.none", ROWS.slice(0, 0))
    with engine.read("analytics.none") as reader:
        assert reader.schema.names == ROWS.schema.names
        assert reader.schema.types == ROWS.schema.types
        assert reader.read_all().num_rows == 0


def test_statements_make_tables_that_are_exported_whole(
    engine: Engine, spark_settings: Settings
) -> None:
    engine.write("analytics.numbers", pa.table({"n": pa.array(range(5000), pa.int64())}))
    engine.execute("drop table if exists analytics.evens")
    engine.execute(
        "create table analytics.evens as select n from analytics.numbers where n % 2 = 0"
    )
    with Lake.of(spark_settings).exchange() as folder:
        files = engine.export("analytics.evens", folder)
        rows = pa.concat_tables(pq.read_table(path) for path in files)
        assert sorted(rows.column("n").to_pylist()) == list(range(0, 5000, 2))
    assert not folder.exists()


def test_a_type_that_spark_would_change_is_refused(spark_settings: Settings, opened: Open) -> None:
    with opened(spark_settings) as spark, pytest.raises(WarehouseError, match="uint8 cannot be"):
        spark.write("analytics.tiny", pa.table({"n": pa.array([1], pa.uint8())}))


def test_what_is_in_the_lake_is_for_its_owner_only(spark_settings: Settings, opened: Open) -> None:
    with opened(spark_settings) as spark:
        spark.write("analytics.private", ROWS)
    paths = [spark_settings.lake, *spark_settings.lake.rglob("*")]
    assert {oct(path.stat().st_mode & 0o777) for path in paths} == {"0o700", "0o600"}


def test_the_lake_may_be_open_to_a_group(tmp_path: Path) -> None:
    shared = Lake(tmp_path / "shared", "s3a://bucket/kehu")
    shared.folder.mkdir()
    shared.folder.chmod(0o2770)
    folder = shared.make(shared.folder / "raw" / "t")
    file = folder / "f"
    file.touch()
    shared.show(file)
    assert (
        oct(folder.stat().st_mode & 0o777) == oct(folder.parent.stat().st_mode & 0o777) == "0o770"
    )
    assert oct(file.stat().st_mode & 0o777) == "0o660"
    assert shared.url_of(file) == "s3a://bucket/kehu/raw/t/f"
