"""What engines answer differently without a word: each spelling of the project, on both engines.

A small table of cells is a seed; every probe is one column of one model that asks a macro, or the
plain SQL that models are allowed to write.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.parity.engines import PROJECT, Duck, Spark

pytestmark = pytest.mark.parity

CELLS = """\
cell,number,amount,word,moment
1,3,1.10,beta,2026-01-31 23:30:00
2,,2.345,it's,2024-02-29 00:00:00
3,1,-0.285,c\\d,2025-07-01 08:00:00
4,2,7.1249,alpha,
"""
_TYPES = {
    "cell": "integer",
    "number": "integer",
    "amount": "decimal(18, 4)",
    "word": "string",
    "moment": "timestamp",
}


def _ranked(order: str) -> str:
    """The cells in an order, as one text."""
    picked = " || ".join(f"max(case when place = {place} then name end)" for place in range(1, 5))
    return (
        f"(select {picked} from (select cast(cell as {{{{ text_type() }}}}) as name,"
        f" row_number() over (order by {order}, cell asc nulls last) as place"
        " from {{ ref('cells') }}) as ranked)"
    )


def _cell(cell: int, expression: str) -> str:
    return f"(select max({expression}) from {{{{ ref('cells') }}}} where cell = {cell})"


def _all(aggregate: str) -> str:
    return f"(select {aggregate} from {{{{ ref('cells') }}}})"


PROBES: dict[str, tuple[str, Any]] = {
    "nulls last, ascending": (_ranked("number asc nulls last"), "3412"),
    "nulls last, descending": (_ranked("number desc nulls last"), "1432"),
    "nulls first, ascending": (_ranked("number asc nulls first"), "2341"),
    "an empty cell of a seed is null": (_all("count(number)"), 3),
    "a quote in a cell of a seed": (_cell(2, "word"), "it's"),
    "a decimal of a seed is exact": (_cell(4, "amount"), Decimal("7.1249")),
    "a moment of a seed has no zone": (
        _cell(1, "moment"),
        datetime.fromisoformat("2026-01-31T23:30"),
    ),
    "a quotient is rounded, not cut": (
        (
            "cast({{ ratio('cast(2 as decimal(18, 2))', 'cast(3 as decimal(18, 2))') }}"
            " as decimal(18, 6))"
        ),
        Decimal("0.666667"),
    ),
    "a quotient of whole numbers": (
        "cast({{ ratio('1', 'cast(8 as bigint)') }} as decimal(18, 6))",
        Decimal("0.125000"),
    ),
    "a quotient by nothing": ("cast({{ ratio('1', '0') }} as decimal(18, 6))", None),
    "the scale of a product of money": (
        "{{ money('cast(1.15 as decimal(18, 2)) * cast(1.155 as decimal(18, 4))', 4) }}",
        Decimal("1.3283"),
    ),
    "money is rounded half up": (_cell(2, "{{ money('amount') }}"), Decimal("2.35")),
    "money below zero, away from it": (_cell(3, "{{ money('amount') }}"), Decimal("-0.29")),
    "a quotient that is stored below its half": (
        "{{ rounded(ratio('cast(11587.65 as decimal(18, 2))', '24'), 4) }}",
        Decimal("482.8188"),
    ),
    "a double that is stored below its half": ("{{ rounded('153.105e0', 2) }}", Decimal("153.11")),
    "a double below zero, away from it": ("{{ rounded('-2.125e0', 2) }}", Decimal("-2.13")),
    "a double of many digits is rounded like one of few": (
        "{{ rounded('-987654321.25e0', 1) }}",
        Decimal("-987654321.3"),
    ),
    "a double in a narrow decimal": ("{{ rounded('12345.00005e0', 4, 9) }}", Decimal("12345.0001")),
    "nothing, rounded": ("{{ rounded('cast(null as double)', 6) }}", None),
    "the other sign of many": (_all("sum(0 - amount)"), Decimal("-10.2849")),
    "round before a cast to a whole number": (
        "cast(round(cast(2.5 as decimal(4, 1)), 0) as integer)",
        3,
    ),
    "a double to a decimal": ("cast(cast(0.125 as double) as decimal(18, 2))", Decimal("0.13")),
    "the median of decimals": (_all("{{ median('amount') }}"), Decimal("1.7225")),
    "the greatest by another, nulls left out": (
        _all("{{ max_by('number', 'cell') }} + 10 * {{ max_by('cell', 'number') }}"),
        12,
    ),
    "every match is replaced": (
        "{{ regexp_replace_all(\"'138-0013 8000'\", '[- ]', '') }}",
        "13800138000",
    ),
    "the first capture": ("{{ regexp_capture(\"'bill B240110000001'\", 'B([0-9]{2})') }}", "24"),
    "no capture is empty text": ("{{ regexp_capture(\"'bill'\", 'B([0-9]{2})') }}", ""),
    "a match anywhere": ("{{ regexp_like(\"'x12'\", '[0-9]') }}", True),
    "a match from the start": ("{{ regexp_like(\"'x12'\", '^[0-9]') }}", False),
    "initials": ("{{ keep_initials(\"'john smith'\") }}", "j. s."),
    "Sunday": ("{{ iso_weekday(\"cast('2026-02-01' as date)\") }}", 7),
    "Monday": ("{{ iso_weekday(\"cast('2026-02-02' as date)\") }}", 1),
    "Saturday": ("{{ iso_weekday(\"cast('2026-01-31' as date)\") }}", 6),
    "a backslash in a cell of a seed": (_cell(3, "length(word)"), 3),
    "a text and nothing": ("'a' || cast(null as {{ text_type() }})", None),
    "texts with a separator, without nothing": (
        "concat_ws('|', 'a', cast(null as {{ text_type() }}), 'b')",
        "a|b",
    ),
    "a hash": ("md5('客户|1')", hashlib.md5("客户|1".encode()).hexdigest()),
    "words of a group, sorted, once": (
        _all("{{ string_agg_distinct('word') }}"),
        "alpha, beta, c\\d, it's",
    ),
    "the beginning of a text": ("{{ starts_with(\"'客户一'\", '客户') }}", True),
    "a cast that fails": ("{{ try_cast(\"'x'\", 'integer') }}", None),
    "a cast that holds": ("{{ try_cast(\"'12.5'\", 'decimal(18, 2)') }}", Decimal("12.50")),
    "days across a leap day": (
        "{{ days_between(\"cast('2024-02-28' as date)\", \"cast('2024-03-01' as date)\") }}",
        2,
    ),
    "days back": ("{{ add_days(\"cast('2024-03-01' as date)\", -1) }}", date(2024, 2, 29)),
    "a month later, shorter": (
        "{{ add_months(\"cast('2026-01-31' as date)\", 1) }}",
        date(2026, 2, 28),
    ),
    "the end of a month": ("{{ month_end(\"cast('2024-02-10' as date)\") }}", date(2024, 2, 29)),
    "the start of a month": ("{{ month_start(\"cast('2024-02-10' as date)\") }}", date(2024, 2, 1)),
    "whole minutes": (
        (
            "{{ minutes_between(\"cast('2026-01-31 10:00:59' as timestamp)\","
            " \"cast('2026-01-31 11:30:00' as timestamp)\") }}"
        ),
        89,
    ),
    "Shanghai in UTC": (
        _cell(3, "{{ to_utc('moment', 'Asia/Shanghai') }}"),
        datetime.fromisoformat("2025-07-01T00:00"),
    ),
    "London in summer": (
        _cell(3, "{{ to_utc('moment', 'Europe/London') }}"),
        datetime.fromisoformat("2025-07-01T07:00"),
    ),
    "the day of a local time": (_cell(1, "{{ local_date('moment') }}"), date(2026, 1, 31)),
    "every day of a span": (
        "(select count(*) from ({{ date_spine(\"'2024-02-01'\", \"'2024-03-01'\") }}) as spine)",
        30,
    ),
    "a masked Chinese name": ("{{ mask_person_name(\"'王小明'\") }}", "王*"),
    "a masked address": ("{{ mask_email(\"'jo@example.com'\") }}", "j***@example.com"),
}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The macros and profile of the project, the seed and one model."""
    folder = tmp_path_factory.mktemp("probes")
    shutil.copytree(PROJECT / "macros", folder / "macros")
    shutil.copy(PROJECT / "profiles.yml", folder)
    types = ", ".join(f"{name}: '{kind}'" for name, kind in _TYPES.items())
    (folder / "dbt_project.yml").write_text(
        "name: probes\nprofile: kehu\n"
        "models: {probes: {+materialized: table, +schema: probes, +file_format: delta}}\n"
        "seeds: {probes: {+schema: probes, +file_format: delta, "
        f"+column_types: {{{types}}}}}}}\n"
    )
    (folder / "seeds").mkdir()
    (folder / "seeds" / "cells.csv").write_text(CELLS, encoding="utf-8")
    (folder / "models").mkdir()
    columns = ",\n    ".join(
        f"{expression} as probe_{number}" for number, (expression, _) in enumerate(PROBES.values())
    )
    (folder / "models" / "answers.sql").write_text(f"select\n    {columns}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def answers(
    project: Path, spark: Spark, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Engine to probe to answer."""
    duck = Duck(tmp_path_factory.mktemp("duck") / "answers.duckdb")
    found = {}
    for engine in (duck, spark):
        engine.dbt(project, "build")
        (row,) = engine.table("probes.answers").to_pylist()
        found[engine.name] = dict(zip(PROBES, row.values(), strict=True))
    return found


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_engines_answer_alike(answers: dict[str, dict[str, Any]], engine: str, probe: str) -> None:
    assert answers[engine][probe] == PROBES[probe][1]
