"""The page about value says what the marts hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from kehu.settings import Settings
from report.build import build
from report.charts import Chart
from report.parts import Heat, Section, Table
from report.published import Reader
from report.value import base, expected, forecast, funnel, moves, people
from tests.report.made import publish, read


def test_every_section_says_its_finding(folder: Path) -> None:
    found = read(folder / "value.html").sections
    assert "Premium: 10% of scored customers, 18% of the year's purchases" in found["classes"]
    assert "优质" in found["classes"]
    assert "20% of buyers bring 80% of the year's purchases" in found["pyramid"]
    assert "At risk: 80% of buyers, 65% of all purchases" in found["rfm"]
    assert "1 customer moved up since last quarter, 1 down" in found["quadrants"]
    assert (
        "3 customers rose to a better value class in the last month, 2 fell" in found["transitions"]
    )
    assert "The 10 most valuable customers bring 100%" in found["valuable"]
    assert "75%" in found["worth"]
    assert "recency days ×2, mean amount ×1.5" in found["risk"]
    assert "tenure days" not in found["risk"]
    assert "1 of 2 models beat their baseline" in found["quality"]
    assert "not published: it does not beat its baseline" in found["quality"]


def _part(section: Section, caption: str) -> Table:
    return next(p for p in section.parts if isinstance(p, Table) and caption in p.caption)


def _chart(section: Section) -> Chart:
    return next(part for part in section.parts if isinstance(part, Chart))


def _heat(section: Section) -> Heat:
    return next(part for part in section.parts if isinstance(part, Heat))


def test_pyramid_holds_each_customer_once_and_the_curve_all_levels(reader: Reader) -> None:
    section = base.pyramid(reader)
    tiers = _part(section, "Customer pyramid").rows
    assert [(row["name"].english, row["customers"], row["amount"]) for row in tiers] == [
        ("Top 1 %", 1, 1000),
        ("Top 20 %", 5, 1000),
        ("All", 24, 500),
    ]
    year = reader.rows("""
        select customer_percent, cumulative_share from value.value_pyramid
        where basis = 'monetary_12m' order by customer_percent
    """)
    curve = [(row["customer_percent"], row["cumulative_share"]) for row in year]
    assert _chart(section).marks[0].points == [(0, 0), *curve]


def test_the_grid_holds_every_buyer(reader: Reader) -> None:
    (held,) = reader.rows(
        "select count(*) as n from value.rfm where as_of_date = $as_of and r_score is not null"
    )
    cells = [cell for _, row in _heat(base.rfm(reader)).rows for cell in row]
    assert sum(int(cell.text) for cell in cells) == held["n"]
    assert _heat(base.rfm(reader)).rows[0][0] == "R 5 recent"


def test_quadrants_count_who_moved_and_draw_everybody(reader: Reader) -> None:
    section = moves.quadrants(reader)
    rows = _part(section, "Quadrants").rows
    told = [
        (r["quadrant"], r["customers"], r["rose"], r["fell"], r["stayed"], r["arrived"])
        for r in rows
    ]
    assert told == [("medium", 2, 1, 0, 1, 0), ("small", 8, 0, 1, 6, 1)]
    tips = [point[3] for mark in _chart(section).marks for point in mark.points]
    assert sum(int(tip.split(": ")[1].split()[0]) for tip in tips) == 10
    # rows a quarter ago, columns now; who came since stands in neither
    assert [[cell.text for cell in row] for _, row in _heat(section).rows] == [
        ["1", "1"],
        ["1", "6"],
    ]


def test_moves_between_classes_are_those_of_the_last_month(reader: Reader) -> None:
    section = moves.transitions(reader)
    matrix = _heat(section)
    assert matrix.columns == ["Premium", "Low-end", "No class"]
    assert [[(c.text, c.small) for c in row] for _, row in matrix.rows] == [
        [("8", "80%"), ("2", "20%"), ("0", "")],
        [("3", "100%"), ("0", ""), ("0", "")],
        [("0", ""), ("4", "100%"), ("0", "")],
    ]
    by_month = _part(section, "by class and month").rows
    assert [(row["premium"], row["low_end"]) for row in by_month] == [(11, 6), (11, 6)]


def test_rising_customers_are_ordered_by_their_rise(reader: Reader) -> None:
    rows = _part(people.rising(reader), "rose most").rows
    # growth is i / 10 of 100 i: from 100 i / (1 + i / 10)
    assert [row["customer_id"] for row in rows] == ["c10", "c9", "c8", "c7", "c6"]
    assert float(rows[0]["rise"]) == pytest.approx(500, abs=0.01)
    assert float(rows[0]["year_before"]) == pytest.approx(500, abs=0.01)


def test_lifetime_value_is_drawn_against_value_so_far(reader: Reader) -> None:
    section = expected.worth(reader)
    fifths = _part(section, "by fifth").rows
    (held,) = reader.rows("""
        select sum(monetary_total) as so_far, sum(expected_spend_12m) as expected
        from value.lifetime_value
    """)
    assert sum(row["so_far"] for row in fifths) == held["so_far"]
    assert sum(row["expected"] for row in fifths) == held["expected"]
    tips = [point[3] for point in _chart(section).marks[0].points]
    assert sum(int(tip.split()[0]) for tip in tips) == 10


def test_what_is_at_stake_adds_up(reader: Reader) -> None:
    section = expected.risk(reader)
    (held,) = reader.rows("""
        select sum(churn_probability * monetary_12m) as at_stake
        from value.churn_risk
        inner join value.customer_metrics using (customer_id, as_of_date)
    """)
    assert (
        float(sum(row["at_stake"] for row in _part(section, "by decile").rows)) == held["at_stake"]
    )
    assert [point[2] for point in _chart(section).marks[0].points] == [4600 * 0.625, 900 * 0.625]
    assert _part(section, "Most at stake").rows[0]["customer_id"] == "c10"


def test_the_funnel_stacks_sales_by_how_they_entered(reader: Reader, folder: Path) -> None:
    section = funnel.funnel(reader)
    bars = {mark.name: [point[:3] for point in mark.points] for mark in _chart(section).marks}
    assert bars == {
        "entered as lead": [(0, 0, 8), (1, 0, 4), (2, 0, 2), (3, 0, 1)],
        "entered as opportunity": [(1, 4, 7)],
    }
    (cold,) = _part(section, "Where leads come from").rows
    assert [cold[name] for name in ("series", "leads", "win_rate")] == ["Cold call", 8, 0.5]
    waiting = _part(section, "Open opportunities").rows
    assert [(row["bucket"], row["open_count"], row["quoted"]) for row in waiting] == [
        ("0-30", 3, 2),
        (">180", 1, 0),
    ]
    text = read(folder / "value.html").sections["funnel"]
    assert "12% of sales that entered as lead were ordered (1 of 8); 75% of closed" in text
    # what nobody reached has no rate, not a rate of zero
    assert "Order 订单 Opportunity 0 0% –" in text


def test_a_firm_that_only_quotes_has_a_funnel(settings: Settings) -> None:
    publish(
        settings,
        sql="delete from sales.funnel where series_kind <> 'entry' or series <> 'opportunity';"
        " delete from sales.win_rates; delete from sales.opportunity_ageing",
    )
    build(settings)
    text = read(settings.run_reports / "value.html").sections["funnel"]
    assert "0% of sales that entered as opportunity were ordered (0 of 3)" in text
    assert "Where leads come from" not in text


def test_forecast_of_all_sales_with_its_band(reader: Reader, folder: Path) -> None:
    marks = {mark.name: mark.points for mark in _chart(forecast.forecast(reader)).marks}
    assert len(marks["sold"]) == 24
    assert [(at, float(amount)) for at, amount in marks["forecast"]] == [(23, 100.5), (24, 1234.5)]
    assert [tuple(map(float, point)) for point in marks["75% of months"]] == [
        (23, 100.5, 100.5),
        (24, 1000, 1500),
    ]
    text = read(folder / "value.html").sections["forecast"]
    assert "All sales: 1,234 CNY expected in the next 1 month" in text
    assert "1,000.00" in text
    assert "75% of months should fall into the band" in text


def test_without_a_forecast_of_all_the_largest_part_is_shown(settings: Settings) -> None:
    publish(settings, sql="delete from sales.forecast where series = 'all'")
    build(settings)
    text = read(settings.run_reports / "value.html").sections["forecast"]
    assert "Spare part: 1,112 CNY expected in the next 1 month" in text
    assert "All sales together are not forecast better" in text


def test_when_nothing_is_forecast_the_errors_say_why(settings: Settings) -> None:
    publish(settings, sql="delete from sales.forecast")
    build(settings)
    text = read(settings.run_reports / "value.html").sections["forecast"]
    assert "No series is forecast better than by the naive forecast" in text
    assert "Tool 9.50 6.25" in text


def test_a_model_that_is_not_published_is_named(settings: Settings) -> None:
    publish(settings, without="value.churn_risk")
    build(settings)
    found = read(settings.run_reports / "value.html").sections
    assert "No churn risk is published" in found["risk"]
    assert "churn risk contract" in found["quality"]
