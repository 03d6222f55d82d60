"""The sales funnel from a few documents, against figures that were worked out by hand."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.dbt_project import made_up_facts
from tests.dbt_project.conftest import LAYERS
from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

BEFORE, NOW = "2025-12-31", "2026-01-31"
# tests that ask for tables which are not built here wait
_OWN_TESTS = ("--indirect-selection", "buildable")
MARTS = ("+funnel", "+win_rates", "+opportunity_ageing")


def _documents() -> made_up_facts.Rows:
    """Four leads of the year (one came to an invoice), three sales to known buyers, a lone quote.

    The lead fair-old came before the year; o4 was opened before the lead it names.
    """
    rows: made_up_facts.Rows = {table: [] for table in made_up_facts.COLUMNS}
    rows["fct_leads"] = [
        {"lead_key": key, "lead_source": source, "created_date": day}
        for key, source, day in (
            ("fair-old", "fair", "2025-01-31"),
            ("fair-1", "fair", "2025-02-01"),
            ("fair-2", "fair", "2025-06-01"),
            ("web-1", "website", "2025-06-10"),
            ("web-2", None, "2026-01-31"),
        )
    ]
    rows["fct_opportunities"] = [
        dict(zip(_OPPORTUNITY, row, strict=True)) | {"currency_code": "CNY"}
        for row in (
            ("o1", "fair-1", "a", "won", "2025-02-11", "2025-03-20", 100),
            ("o2", "fair-1", "a", "lost", "2025-04-01", "2026-01-10", 50),
            ("o3", "fair-2", None, None, "2025-06-05", None, 30),
            ("o4", "web-1", None, "lost", "2025-06-01", "2025-07-01", 20),
            ("o5", None, "b", "won", "2025-10-01", "2025-10-31", 400),
            ("o6", None, "b", None, "2026-01-01", None, 70),
            ("o7", None, "c", "won", "2025-12-31", "2026-01-05", 60),
            ("o8", "fair-old", "c", None, "2025-02-02", None, 10),
        )
    ]
    rows["fct_quotes"] = [
        dict(zip(_QUOTE, row, strict=True)) | {"currency_code": "CNY"}
        for row in (
            ("q1", "o1", "2025-02-15", 90),
            ("q2", "o1", "2025-03-01", 95),
            ("q5", "o5", "2025-10-11", 380),
            ("q6", "o6", "2026-01-20", 70),
            ("q7", "o7", "2026-01-02", 60),
            ("q8", None, "2025-11-01", 50_000_000_000),
        )
    ]
    rows["fct_quoted_orders"] = [
        dict(zip(_ORDER, row, strict=True)) | {"currency_code": "CNY"}
        for row in (
            ("d1", "q2", "2025-03-21", None, 94, "2025-03-25", 94),
            ("d5", "q5", "2025-11-01", "2026-01-15", 370, "2025-11-03", 370),
            ("d7", "q7", "2026-01-06", None, 61, None, None),
        )
    ]
    rows["dim_customers"] = [
        {"customer_id": "a", "region": "east"},
        {"customer_id": "b", "region": "west"},
        {"customer_id": "c"},
    ]
    return rows


_OPPORTUNITY = (
    *("opportunity_key", "lead_key", "customer_id", "outcome", "opened_date", "closed_date"),
    "expected_amount",
)
_QUOTE = ("quote_key", "opportunity_key", "quoted_date", "amount")
_ORDER = (
    *("order_key", "quote_key", "ordered_date", "cancelled_date", "amount", "invoiced_date"),
    "invoiced_amount",
)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> ScratchWarehouse:
    """The funnel of the documents on two days."""
    folder = tmp_path_factory.mktemp("funnel")
    warehouse = ScratchWarehouse.make(folder, LAYERS, made_up_facts.stand_ins())
    warehouse.execute(*made_up_facts.statements(_documents()))
    warehouse.build("--select", *MARTS, *_OWN_TESTS, as_of_dates=(BEFORE, NOW))
    return warehouse


def _funnel(sold: ScratchWarehouse, kind: str, series: str, day: str = NOW) -> list[Any]:
    return sold.query(
        "select stage, case_count, conversion_rate, reached_rate, days_from_previous_median, amount"
        f" from sales.funnel where as_of_date = '{day}' and series_kind = '{kind}'"
        f" and series = '{series}' order by stage_rank"
    )


def _decimals(*rows: tuple[Any, ...]) -> list[Any]:
    """Texts of numbers as decimals, stages as they are."""
    return [
        (row[0], row[1], *(None if one is None else Decimal(one) for one in row[2:]))
        for row in rows
    ]


def test_leads_of_the_year_stage_by_stage(sold: ScratchWarehouse) -> None:
    # opportunities after 10, 4 and 0 days; both quotes of fair-1 count as one sale, 4 days later;
    # the order hangs on its second quote
    assert _funnel(sold, "entry", "lead") == _decimals(
        ("lead", 4, None, "1", None, None),
        ("opportunity", 3, "0.75", "0.75", "4", "200"),
        ("quote", 1, "0.333333", "0.25", "4", "185"),
        ("order", 1, "1", "0.25", "34", "94"),
        ("invoice", 1, "1", "0.25", "4", "94"),
    )


def test_a_rate_without_a_stage_before_is_empty(sold: ScratchWarehouse) -> None:
    assert _funnel(sold, "lead_source", "unknown") == _decimals(
        ("lead", 1, None, "1", None, None),
        ("opportunity", 0, "0", "0", None, "0"),
        ("quote", 0, None, "0", None, "0"),
        ("order", 0, None, "0", None, "0"),
        ("invoice", 0, None, "0", None, "0"),
    )


def test_a_cancelled_order_counts_until_its_day(sold: ScratchWarehouse) -> None:
    assert _funnel(sold, "entry", "opportunity", BEFORE) == _decimals(
        ("opportunity", 2, None, "1", None, "460"),
        ("quote", 1, "0.5", "0.5", "10", "380"),
        ("order", 1, "1", "0.5", "21", "370"),
        ("invoice", 1, "1", "0.5", "2", "370"),
    )
    assert _funnel(sold, "entry", "opportunity") == _decimals(
        ("opportunity", 3, None, "1", None, "530"),
        ("quote", 3, "1", "1", "10", "510"),
        ("order", 1, "0.333333", "0.333333", "4", "61"),
        ("invoice", 0, "0", "0", None, "0"),
    )


def test_a_quote_that_answers_nothing_enters_with_itself(sold: ScratchWarehouse) -> None:
    # a rate of six decimals times fifty billion is more than 18 digits
    assert _funnel(sold, "entry", "quote") == _decimals(
        ("quote", 1, None, "1", None, "50000000000"),
        ("order", 0, "0", "0", None, "0"),
        ("invoice", 0, None, "0", None, "0"),
    )


def test_win_rates_are_of_what_was_closed_in_the_year(sold: ScratchWarehouse) -> None:
    rates = {
        (day.isoformat(), kind, series): row
        for day, kind, series, *row in sold.query(
            "select as_of_date, series_kind, series, won_count, lost_count, win_rate,"
            " win_rate_by_amount, days_to_close_median from sales.win_rates"
        )
    }
    # closed after 37, 30 and 30 days; by now two more, after 5 and 284 days
    assert rates[BEFORE, "all", "all"] == [
        *(2, 1, Decimal("0.666667"), Decimal("0.961538"), Decimal(30)),
    ]
    assert rates[NOW, "all", "all"] == [3, 2, Decimal("0.6"), Decimal("0.888889"), Decimal(30)]
    assert rates[NOW, "lead_source", "website"][:4] == [0, 1, 0, 0]
    assert rates[NOW, "lead_source", "known_buyer"][:2] == [2, 0]
    assert rates[NOW, "region", "east"][:2] == [1, 1]
    assert rates[NOW, "region", "unknown"][:2] == [1, 1]


def test_open_opportunities_by_age(sold: ScratchWarehouse) -> None:
    aged = sold.query(
        "select as_of_date::varchar, region, stage, bucket, open_count, expected_amount,"
        " days_open_max from sales.opportunity_ageing order by all"
    )
    assert aged == [
        # closed and quoted since: both are not known yet
        (BEFORE, "east", "opportunity", ">180", 1, 50, 274),
        (BEFORE, "unknown", "opportunity", "0-30", 1, 60, 0),
        (BEFORE, "unknown", "opportunity", ">180", 2, 40, 332),
        (NOW, "unknown", "opportunity", ">180", 2, 40, 363),
        (NOW, "west", "quote", "0-30", 1, 70, 30),
    ]


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("every_open_opportunity_has_an_age", "delete from sales.opportunity_ageing"),
        ("funnel_counts_every_sale_once", "update sales.funnel set case_count = case_count + 1"),
    ],
)
def test_a_broken_law_is_found(
    sold: ScratchWarehouse, tmp_path: Path, law: str, fault: str
) -> None:
    warehouse = sold.copy(tmp_path / "broken")
    shutil.copy(PROJECT / "tests" / f"{law}.sql", warehouse.folder / "tests")
    assert warehouse.dbt("test", "--select", law, as_of_dates=(BEFORE, NOW)).success
    warehouse.execute(fault)
    assert not warehouse.dbt("test", "--select", law, as_of_dates=(BEFORE, NOW)).success
