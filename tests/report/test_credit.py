"""The page about credit says what the marts hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from kehu.settings import Settings
from report.build import build
from report.charts import Chart
from report.credit import debtors, debts, grades, scorecard
from report.parts import Heat, Section, Table
from report.published import Reader
from tests.report.made import publish, read


def test_every_section_says_its_finding(folder: Path) -> None:
    found = read(folder / "credit.html").sections
    assert "25% of what is open is overdue; days sales outstanding: 25" in found["collection"]
    # 5 customers x 2 overdue buckets: 7.5 x 15 x 2, in the reporting currency
    assert "225 CNY is overdue, 67% of what is open; 50% of it >365 days" in found["ageing"]
    assert "75% of what is 1-30 days late is settled within a month" in found["rolls"]
    assert "90% of graded customers hold A; in the last month 1 rose and 2 fell" in found["grades"]
    assert "4 warnings are open, on 130 CNY overdue" in found["warnings"]
    assert "5 customers owe 100% of everything overdue" in found["overdue"]
    assert "52 CNY of 1,000 open may be lost" in found["losses"]
    assert "in 81% of pairs" in found["scorecard"]
    assert "of other debtors than at first: their stability index is 0.3" in found["stability"]


def _tables(section: Section) -> dict[str, Table]:
    return {part.caption: part for part in section.parts if isinstance(part, Table)}


def _charts(section: Section) -> dict[str, Chart]:
    return {part.title: part for part in section.parts if isinstance(part, Chart)}


def _heat(section: Section) -> Heat:
    return next(part for part in section.parts if isinstance(part, Heat))


def test_overdue_share_and_dso_at_each_date(reader: Reader) -> None:
    charts = _charts(debts.collection(reader))
    (share,) = charts["Overdue share"].marks
    assert [float(point[1]) for point in share.points] == pytest.approx([0.4, 0.25])
    dso, best = charts["Days sales outstanding"].marks
    # 100 open, 1,460 billed
    assert [float(point[1]) for point in dso.points] == pytest.approx([25, 25])
    assert [float(point[1]) for point in best.points] == pytest.approx([15, 18.75])


def test_ageing_keeps_not_due_apart_and_adds_up(reader: Reader) -> None:
    section = debts.ageing(reader)
    tables = _tables(section)
    (held,) = reader.rows("""
        select
            sum(open_amount_reporting) filter (where bucket = 'not due') as not_due,
            sum(open_amount_reporting) filter (where bucket <> 'not due') as overdue
        from credit.receivables_ageing where as_of_date = $as_of
    """)
    for caption in ("By credit grade", "By region"):
        rows = tables[caption].rows
        assert sum(row["not_due"] for row in rows) == held["not_due"]
        assert sum(row["overdue"] for row in rows) == held["overdue"]
        assert all(sum(row["late"].values()) == row["overdue"] for row in rows)
    assert [row["grade"] for row in tables["By credit grade"].rows] == ["A", "D"]
    assert [row["region"] for row in tables["By region"].rows] == ["unknown", "east"]
    bars = _charts(section)["Overdue at each as-of date"].marks
    assert [(mark.name, mark.points[-1][2]) for mark in bars] == [
        ("1-30 days", 112.5),
        (">365 days", 225),
    ]


def test_many_regions_become_one_row(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debts, "MOST_REGIONS", 1)
    rows = _tables(debts.ageing(reader))["By region"].rows
    assert [row["region"] for row in rows] == ["unknown", "1 other region"]
    assert sum(row["overdue"] for row in rows) == 225


def test_roll_rates_of_the_last_year_sum_to_one(reader: Reader) -> None:
    field = _heat(debts.rolls(reader))
    assert field.columns == ["settled", "not due", "1-30", "31-60", "written off"]
    told = {name: [cell.text for cell in cells] for name, cells in field.rows}
    # 2024 is too long ago; two months together: 75 of 100 settled
    assert told == {
        "not due": ["0", "0", "100%", "0", "0"],
        "1-30": ["75%", "0", "0", "25%", "0"],
        "31-60": ["0", "0", "0", "0", "100%"],
    }


def test_migration_and_what_those_who_moved_owe(reader: Reader) -> None:
    field = _heat(grades.grades(reader))
    told = {name: [(cell.text, cell.small) for cell in cells] for name, cells in field.rows}
    assert field.columns == ["A", "B", "D", "No grade"]
    assert told["A"] == [("7", "70"), ("2", "20"), ("0", ""), ("0", "")]
    assert told["No grade"] == [("0", ""), ("0", ""), ("3", "9"), ("0", "")]


def test_warnings_by_level_and_age(reader: Reader) -> None:
    section = grades.warnings(reader)
    told = {name: [cell.text for cell in cells] for name, cells in _heat(section).rows}
    assert told == {"Severe": ["0", "0", "0", "1"], "Warning": ["2", "1", "0", "0"]}
    (closed,) = _tables(section)["Closed in the last 3 months, by cause"].rows
    assert (closed["closing_cause"], closed["warnings"], closed["days"]) == ("paid", 1, 61)


def test_the_largest_overdue_come_first(reader: Reader) -> None:
    rows = _tables(debtors.overdue(reader))["Largest overdue amounts"].rows
    assert [(row["customer_id"], float(row["overdue_amount"])) for row in rows[:2]] == [
        ("c5", 75),
        ("c4", 60),
    ]
    assert all("name_norm" not in row for row in rows)


def test_expected_loss_adds_up_along_every_segment(reader: Reader) -> None:
    tables = _tables(debtors.losses(reader))
    for table in tables.values():
        assert float(sum(row["loss"] for row in table.rows)) == 52.5
        assert float(sum(row["exposure"] for row in table.rows)) == 1000
        assert {row["probability"] for row in table.rows} == {0.5}
    kinds = {row["name"]: row["rate"] for row in tables["By kind of customer"].rows}
    assert kinds == {"Organisation": pytest.approx(0.3), "Person": pytest.approx(0.025)}


def test_scorecard_shows_curve_calibration_and_bins_in_words(reader: Reader) -> None:
    section = scorecard.scorecard(reader)
    charts = _charts(section)
    roc = [tuple(map(float, point)) for point in charts["ROC curve"].marks[0].points]
    assert roc == [(0, 0), (0.2, 0.7), (1, 1)]
    tenths = charts["Calibration"].marks[1].points
    assert [(float(across), float(up)) for across, up, *_ in tenths] == [(0.02, 0.04), (0.3, 0.28)]
    (bins,) = (table for caption, table in _tables(section).items() if "644 points" in caption)
    assert [(row["feature"], row["range"], row["points"]) for row in bins.rows] == [
        ("recency days", "below 41.5", -11),
        ("recency days", "41.5 and more", 28),
        ("recency days", "not known", 0),
        ("last system", "billing, orders", 3),
    ]


def test_when_nothing_is_late_there_is_no_chart_of_it(settings: Settings) -> None:
    publish(settings, sql="delete from credit.receivables_ageing where bucket_rank > 1")
    build(settings)
    page = read(settings.run_reports / "credit.html")
    assert "Nothing is overdue; 112 CNY is not due yet" in page.sections["ageing"]
    assert not any("Overdue at each" in str(chart["aria-label"]) for chart in page.charts)
    assert "No customer is overdue" in page.sections["overdue"]
