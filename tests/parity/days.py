"""Two days of the embedded sources: loaded, built, and every table that a build left.

In: settings, an open engine. Out: tables as Arrow by `<schema>.<table>`, the keys that their YAML
names. What is compared is found by looking, so a new model, an incremental one or a table of the
statistics takes part without a line here.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dags.blocks import dbt
from dags.blocks.identity import remember
from dags.blocks.statistics import run_after
from expectations.gate import require_passed, validate_all
from extract.contract import read_all
from extract.run import extract_system
from kehu.settings import SYSTEMS, Settings
from warehouse import identity_memory, raw
from warehouse.engines import Engine

FIRST_DAY = date(2026, 1, 31)
NOT_BUILT = {
    *("raw", "ops", "kehu_lake"),  # what was loaded, and books
    *("default", "information_schema", "global_temp"),  # the engine's own
}
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
OWN_TESTS = (
    *dbt._TESTS_OF_DATA,
    "--exclude",
    *("test_name:unique_combination", "test_name:not_null"),
    *("test_name:accepted_values", "test_name:relationships"),
)
"""The project's own SQL: dbt's is alike everywhere, and says of equal tables the same again."""
_TYPES = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp_ntz": pa.timestamp("us"),
}


def ingest(settings: Settings, day: date) -> None:
    """Land, judge and load every system, as the ingest DAGs do."""
    raw.create_all(read_all(settings.contract_dirs), settings)
    for system in SYSTEMS:
        batches = extract_system(
            system,
            day=day,
            run_id=f"parity{day:%d}",
            watermarks=raw.watermarks(system, settings),
            settings=settings,
        )
        require_passed(validate_all(batches, settings))
        raw.load_all(batches, settings, f"parity{day:%d}")


def copy_loaded(here: Settings, there: Settings) -> None:
    """Give another home what was landed and loaded here."""
    for part in (here.landing, here.work_file.parent):
        shutil.copytree(part, there.home / part.relative_to(here.home), dirs_exist_ok=True)


def build(settings: Settings, engine: Engine, tests: Sequence[str] = dbt._TESTS_OF_DATA) -> None:
    """Build as the DAG does, statistics included; `tests` says to dbt which of the data it runs."""
    # the newest day and two month ends, of the thirteen days of a real run
    dates = [date.fromisoformat(day) for day in sorted(raw.as_of_dates(settings))[-3:]]
    engine.register_raw(read_all(settings.contract_dirs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEHU_WORK_FILE", str(settings.work_file))
        patch.setattr(dbt, "_TESTS_OF_DATA", tests)
        after = partial(run_after, engine=engine, as_of_dates=dates)
        dbt.build(settings, list(map(str, dates)), engine, after)
    run_id = f"parity{max(dates):%d}"
    remember(identity_memory.settle(settings, engine, run_id, max(dates)), settings, run_id)
    # staging's views of this memory are compared, too; the next build would register it
    engine.register_raw(read_all(settings.contract_dirs))


def people_change(settings: Settings) -> None:
    """Some buyers move house, and two turn out to be one: few of the embedded people do so.

    Only who is known from orders alone: what is changed here is then all that tells who they are.
    """
    moment = f"{FIRST_DAY + timedelta(days=1)} 08:00:00"
    with duckdb.connect(str(settings.work_file), read_only=True) as warehouse:
        alone = {
            number
            for (number,) in warehouse.execute(
                "select max(source_record_id) from customer.bridge_customer_records"
                " group by customer_id having count(*) = 1 and max(source_system) = 'orders'"
            ).fetchall()
        }
    with sqlite3.connect(settings.demo_sources / "orders.db") as source:
        known = source.execute(
            "select customer_no from customers where identity_no is not null order by customer_no"
        ).fetchall()
        (first,), (second,), *others = [row for row in known if row[0] in alone]
        source.execute(
            "update customers set (customer_name, identity_no, updated_at) ="
            " (select customer_name, identity_no, ? from customers where customer_no = ?)"
            " where customer_no = ?",
            [moment, first, second],
        )
        source.executemany(
            "update customers set region = 'moved', updated_at = ? where customer_no = ?",
            [(moment, number) for (number,) in others[:5]],
        )
        # one who gave no number shares a telephone with one person, an e-mail with another
        (first,), (bridge,), (second,) = others[5:8]
        source.executemany(
            "update customers set customer_kind = 'person', customer_name = '欧阳明月', phone = ?,"
            " email = ?, identity_no = case when ? then identity_no end, updated_at = ?"
            " where customer_no = ?",
            [
                ("13912340001", None, True, moment, first),
                ("13912340001", "ouyang@example.com", False, moment, bridge),
                (None, "ouyang@example.com", True, moment, second),
            ],
        )
    source.close()


def tables_of(
    engine: Engine, settings: Settings, leave_out: Collection[str] = ()
) -> dict[str, pa.Table]:
    """Every table and view of a build, of all schemas but those left out."""
    if settings.engine == "duckdb":
        found = {}
        for schema, name in engine.fetch(
            "select table_schema, table_name from information_schema.tables order by all"
        ):
            if schema not in NOT_BUILT and schema not in leave_out:
                with engine.read(f"{schema}.{name}") as rows:
                    found[f"{schema}.{name}"] = rows.read_all()
        return found
    return {name: table_on_spark(engine, name) for name in _names_on_spark(engine, leave_out)}


def _names_on_spark(engine: Engine, leave_out: Collection[str]) -> Iterator[str]:
    for schema, *_ in engine.fetch("show schemas"):
        if schema not in NOT_BUILT and schema not in leave_out:
            for _, name, is_temporary, *_ in engine.fetch(f"show tables in {schema}"):
                if not is_temporary:
                    yield f"{schema}.{name}"


def table_on_spark(engine: Any, name: str) -> pa.Table:
    """The rows of a table, over Connect or Thrift, with the types that the engine tells."""
    columns = []
    for column, kind, *_ in engine.fetch(f"describe table {name}"):
        if not column or column.startswith("#"):
            break  # partitions and properties follow
        columns.append(pa.field(column, _arrow_type(kind)))
    rows = engine.fetch(f"select * from {name}")
    return pa.table(
        [
            pa.array([_value(row[place], column.type) for row in rows], column.type)
            for place, column in enumerate(columns)
        ],
        schema=pa.schema(columns),
    )


def _arrow_type(kind: str) -> pa.DataType:
    decimal = re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", kind)
    return pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else _TYPES[kind]


def _value(value: Any, kind: pa.DataType) -> Any:
    # Hive's protocol gives days as texts.
    return date.fromisoformat(value) if pa.types.is_date(kind) and isinstance(value, str) else value


def keys(settings: Settings) -> dict[str, list[str]]:
    """Table to the columns that its YAML says are its key, as the last build had it."""
    nodes: dict[str, Any] = json.loads((settings.dbt_target / "manifest.json").read_bytes())[
        "nodes"
    ]
    found: dict[str, list[str]] = {}
    for test in nodes.values():
        facts = test.get("test_metadata") or {}
        model = nodes.get(test.get("attached_node") or "")
        if model is None or facts.get("name") not in ("unique", "unique_combination"):
            continue
        arguments = facts["kwargs"]
        columns = arguments.get("columns") or [arguments["column_name"]]
        found[f"{model['schema']}.{model['name']}"] = columns
    return found
