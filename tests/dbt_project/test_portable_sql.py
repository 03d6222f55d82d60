"""Models are written in the SQL that every engine understands; differences stand in macros."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kehu.settings import CLONE

PROJECT = CLONE / "dbt_project"

FORBIDDEN: dict[str, str] = {
    r"\bqualify\b": "number the rows in a CTE and filter in the next",
    r"::": "cast(x as type)",
    r"\bselect\s+\*\s+(exclude|replace)\b": "write the columns out",
    r"\bcolumns\s*\(": "write the columns out",
    r"\b(list|array_agg|string_agg|group_concat|listagg)\s*\(": "string_agg_distinct()",
    r"\bunnest\s*\(|\bgenerate_series\s*\(": "date_spine()",
    r"\b(date_diff|datediff|date_sub|date_add|dateadd)\s*\(": "days_between(), add_days()",
    r"\binterval\b": "add_days(), add_months()",
    r"\b(strftime|strptime|epoch|strpos|dayofweek|isodow)\s*\(": "a macro in dialect.sql",
    r"\bregexp_\w+\s*\((?![^{}]*\}\})": "regexp_like(), regexp_replace_all(), regexp_capture()",
    r"\b(arg_max|arg_min|max_by|min_by)\s*\((?![^{}]*\}\})": "max_by() of dialect.sql",
    r"\b(median|percentile_cont|quantile_cont)\s*\((?![^{}]*\}\})": "median() of dialect.sql",
    r"(?<![\w'])hash\s*\(": "md5()",
    r"\bas\s+(double|float|real)\s*\)\s*\*?\s*\w*(amount|cost|price)": "money is decimal",
    r"\bwith\s+recursive\b": "an iterated materialisation",
    r"\bmaterialized\s*\(": "a table",
    r"\bignore\s+nulls\b": "a macro in dialect.sql",
    r"\^": "power()",
    r"\bnow\s*\(|\bcurrent_(date|timestamp)\b": "the variable as_of_dates",
    r"\bpivot\b|\basof\s+join\b|\bunion\s+all\s+by\s+name\b": "plain SQL",
    r"\bconcat\s*\(": "|| or concat_ws()",
    r"(\bselect|\bthen|\belse|[(,])\s*-\s*(?!x\b)[a-z_]": "0 - value",
    r"(?<!as double\))\s/\s(?!cast\()": "ratio() of dialect.sql, or divide doubles",
    r"\b(avg|mean|stddev\w*)\s*\(": "ratio() of a sum and a count",
    r"\bcast\s*\(\s*round\s*\(": "rounded() of dialect.sql",
}
"""Spelling, and what to write instead."""

_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
_END_OF_ORDER = re.compile(r"\b(rows|range)\s+between\b|\blimit\b", re.IGNORECASE)


def _orders(sql: str) -> Iterator[str]:
    """What stands behind each `order by`, up to the bracket that closes around it."""
    for order in _ORDER.finditer(sql):
        depth, end = 0, len(sql)
        for position in range(order.end(), len(sql)):
            depth += {"(": 1, ")": -1}.get(sql[position], 0)
            if depth < 0:
                end = position
                break
        yield _END_OF_ORDER.split(sql[order.end() : end])[0]


_TEMPLATE = {
    r"\btarget\s*\.\s*(type|name)\b": "a macro in dialect.sql",
    r"\badapter\s*\.\s*(type|dispatch)\b": "a macro in dialect.sql",
    r"""['"(,]\s*-\s*[a-z_.]+\s*[*'"]""": "0 - value",
}
"""What no model asks or hands to a macro: the engine, and a sign that not every engine reads."""

_RATIO_AS_DECIMAL = re.compile(
    r"\bratio\(((?!\}\}).)*\}\}[^(),{}]*\bas\s+decimal\b", re.DOTALL | re.IGNORECASE
)
"""A double that an engine rounds in its own way."""


def _statements(text: str) -> str:
    """The SQL of a model: without comments, texts in quotes and calls of macros."""
    text = re.sub(r"\{#.*?#\}", " ", text, flags=re.DOTALL)
    text = re.sub(r"--[^\n]*", " ", text)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " x ", text, flags=re.DOTALL)
    return re.sub(r"'[^']*'", "''", text)


def faults(text: str) -> list[str]:
    """What in the text of a model another engine would refuse or answer differently."""
    sql = _statements(text)
    found = [
        f"{match[0].strip()!r}: write {instead}"
        for pattern, instead in FORBIDDEN.items()
        for match in [re.search(pattern, sql, re.IGNORECASE)]
        if match
    ]
    if re.search(r"\\(?!n)", re.sub(r"\{#.*?#\}", " ", text, flags=re.DOTALL)):
        found.append("'\\': some engines eat it; write [.] or [0-9]")
    if _RATIO_AS_DECIMAL.search(text):
        found.append("'ratio() as decimal': write rounded() around it")
    found += [
        f"{match[0].strip()!r}: write {instead}"
        for pattern, instead in _TEMPLATE.items()
        for call in re.findall(r"\{%.*?%\}|\{\{.*?\}\}", text, re.DOTALL)
        for match in [re.search(pattern, call)]
        if match
    ]
    for order in _orders(sql):
        for item in re.split(r",(?![^(]*\))", order):
            if item.strip() and "nulls" not in item.lower():
                found.append(f"'order by{item.rstrip()}': say nulls first or nulls last")
    return found


MODELS = sorted(
    path
    for folder in ("models", "snapshots", "tests")
    for path in (PROJECT / folder).rglob("*.sql")
)


def test_every_model_is_portable() -> None:
    wrong = {
        str(path.relative_to(PROJECT)): found
        for path in MODELS
        if (found := faults(path.read_text(encoding="utf-8")))
    }
    assert len(MODELS) > 100
    assert not wrong, "\n".join(f"{path}: {'; '.join(found)}" for path, found in wrong.items())


@pytest.mark.parametrize(
    "planted",
    [
        "select a from t qualify row_number() over (order by a asc nulls last) = 1",
        "select a::date from t",
        "select * exclude (a) from t",
        "select string_agg(a, ',') from t",
        "select list(a) from t",
        "select unnest([1, 2])",
        "select date_diff('day', a, b) from t",
        "select a + interval 1 day from t",
        "select a from t order by a",
        "select row_number() over (partition by a order by b desc) from t",
        "select row_number() over (order by b desc nulls last, c) from t",
        "select regexp_replace(a, 'x', 'y') from t",
        "select arg_max(a, b) from t",
        "select median(a) from t",
        "select hash(a) from t",
        "with recursive t as (select 1) select * from t",
        "select 2 ^ 3",
        "select * from t where a < current_date",
        "select now()",
        "select concat(a, b) from t",
        "{% if target.type == 'spark' %} select 1 as a {% else %} select 2 as a {% endif %}",
        "select {{ 'string' if target.name == 'spark' else 'varchar' }} from t",
        "{% if adapter.type() == 'duckdb' %} select 1 as a {% endif %}",
        r"select {{ regexp_like('a', 'x\.y') }} from t",
        "select cast({{ ratio('a', 'b') }} - 1 as decimal(18, 6)) from t",
        "select cast(round(a, 6) as decimal(18, 6)) from t",
        "select avg(a) from t",
        "select -amount from t",
        "select case when a then -b.amount end, sum(-c) from t",
        "select {{ money('-a.quantity * b.price') }} from t",
        "select {{ money('-amount', 4) }} from t",
        "select cast(a / nullif(b, 0) as decimal(18, 6)) from t",
    ],
)
def test_planted_violation_is_found(planted: str) -> None:
    assert faults(planted)


@pytest.mark.parametrize(
    "fine",
    [
        "select {{ days_between('a', 'b') }} from t",
        "select a from t order by a asc nulls last, least(b, c) desc nulls first",
        "select 'order by a::date' as text -- order by a",
        "select sum(a) over (order by c asc nulls last rows between 1 preceding and current row)",
        "select 0 - a, -1 * b, b - a, cast(a as double) / b from t",
        "select {{ add_months('day', -month) }}, {{ rounded(ratio('a', 'b'), 6) }} from t",
        "select md5(a), greatest(a, b), a || '|' || b from t",
    ],
)
def test_portable_sql_passes(fine: str) -> None:
    assert not faults(fine)


def test_no_model_is_hidden_from_the_check() -> None:
    assert {path.suffix for path in (PROJECT / "models").rglob("*") if path.is_file()} <= {
        ".sql",
        ".yml",
        ".md",
    }
