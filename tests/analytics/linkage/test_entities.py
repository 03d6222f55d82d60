"""Entities: what a record knows speaks for those that exact rules tie to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from analytics.linkage import database, entities, model

EDGES = {"left_record_key": pa.string(), "right_record_key": pa.string()}


@pytest.fixture
def connection() -> Iterator[Any]:
    with database.opened() as opened:
        yield opened.duckdb_con


def record(key: str, name: str, **known: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(entities.COLUMNS),
        "record_key": key,
        "record_kind": "patient",
        "party_kind": "person",
        "name_norm": name,
        "name_pinyin": name,
        **known,
    }


def prepare(connection: Any, rows: list[dict[str, Any]], *ties: tuple[str, str]) -> None:
    types = [
        pa.field(name, pa.date32() if name == "birth_date" else pa.string())
        for name in entities.COLUMNS
    ]
    edges = pa.table(
        {end: pa.array([tie[at] for tie in ties], pa.string()) for at, end in enumerate(EDGES)}
    )
    records = pa.Table.from_pylist(rows, schema=pa.schema(types))
    entities.prepare(connection, records, edges, model.read())


def test_records_that_rules_tie_are_one_entity(connection: Any) -> None:
    rows = [
        record("his|2", "王伟", birth_date=date(1980, 5, 1), sex="M"),
        record("billing|1", "王伟", phone_norm="+8613800000001"),
        record("orders|3", "李娜"),
    ]
    prepare(connection, rows, ("billing|1", "his|2"))
    found = connection.execute(
        "select entity_key, births, phones, sex from entities order by entity_key"
    ).fetchall()
    assert found == [
        ("billing|1", [date(1980, 5, 1)], ["+8613800000001"], "M"),
        ("orders|3", [], [], None),
    ]


def test_two_identity_numbers_are_two_people_whatever_tied_them(connection: Any) -> None:
    rows = [
        record("a", "王伟", identity_no_norm="110101198005010011"),
        record("b", "王伟", identity_no_norm="110101198005020018"),
    ]
    prepare(connection, rows, ("a", "b"))
    assert connection.execute("select count(*) from entities").fetchone() == (2,)


def test_an_identity_number_tells_birthday_and_sex(connection: Any) -> None:
    prepare(connection, [record("a", "王伟", identity_no_norm="110101198005010021")])
    known = connection.execute("select births, sex from entities").fetchone()
    assert known == ([date(1980, 5, 1)], "F")


def test_one_address_in_three_ways_of_writing(connection: Any) -> None:
    written = [
        "河南省郑州市中原区滨河路534号康乐小区14栋1单元1402室",
        "河南省郑州市 中原区 滨河路５３４号 康乐小区14-1-1402",
        "Room 1402, Unit 1, Building 14, 534 Binhe Road, Zhongyuan District, Zhengzhou",
    ]
    rows = [record(str(at), f"王{at}", address=a, region="中原区") for at, a in enumerate(written)]
    prepare(connection, rows)
    assert connection.execute("select count(distinct addresses) from entities").fetchone() == (1,)


def test_a_name_of_rare_parts_is_rarer(connection: Any) -> None:
    """Both names stand in the data once; the parts of one stand in many."""
    common = [record(f"c{at}", f"王{given}") for at, given in enumerate("伟芳娜敏静丽强磊军洋")]
    rare = [record("r1", "欧瑞"), record("r2", "李伟"), record("r3", "张伟")]
    prepare(connection, common + rare)
    bits = dict(connection.execute("select name, name_bits from entities").fetchall())
    assert bits["欧瑞"] > bits["王伟"]


def test_a_key_that_too_many_share_is_no_reason_to_compare(connection: Any) -> None:
    limit = model.read().block_limit
    rows = [record(f"r{at:04}", f"n{at}", phone_norm="+861") for at in range(limit + 1)]
    rows += [record("x1", "m1", phone_norm="+862"), record("x2", "m2", phone_norm="+862")]
    prepare(connection, rows)
    kept = connection.execute(
        "select distinct entity_key from block_keys inner join entities using (unique_id)"
    ).fetchall()
    assert sorted(kept) == [("x1",), ("x2",)]
