"""The pages: complete in themselves, every section, clear notes where there is nothing, masked."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from kehu.errors import WarehouseError
from kehu.settings import Settings
from report.build import build
from tests.report.made import PAGES, publish, read, sections

SECTIONS = {
    "index.html": {"findings", "health", "overlap"},
    "value.html": {
        *("classes", "pyramid", "rfm", "quadrants", "transitions", "valuable", "rising"),
        *("worth", "risk", "funnel", "forecast", "quality"),
    },
    "credit.html": {
        *("collection", "ageing", "rolls", "grades", "warnings", "overdue", "losses"),
        *("scorecard", "stability"),
    },
}


def test_every_page_has_its_sections(published: Settings, folder: Path) -> None:
    assert build(published) == published.run_reports / "index.html"
    for name, keys in SECTIONS.items():
        assert set(read(folder / name).sections) >= keys


def test_the_overview_says_its_findings(folder: Path) -> None:
    found = read(folder / "index.html").sections
    # the last round of bills, not both rounds, and the visits
    assert "All 1,244 rows that were read are accounted for; 4 wait" in found["health"]
    assert "due_not_before_issued" in found["health"]
    assert "Build: identity 1 min 15 s" in found["health"]
    assert "Build: core" not in found["health"]
    assert "40% of customers (4) are known in two or more systems" in found["overlap"]
    assert "20% of buyers bring 80% of the year's purchases" in found["findings"]
    assert "75% of what is 1-30 days late is settled within a month" in found["findings"]


def test_pages_need_nothing_from_elsewhere(folder: Path) -> None:
    for name in PAGES:
        text = (folder / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|url\(|@import|<script|<link|<img|<iframe", text)


def test_every_link_leads_to_a_section(folder: Path) -> None:
    pages = {name: read(folder / name) for name in PAGES}
    for name, page in pages.items():
        assert len(set(page.ids)) == len(page.ids)
        for address in page.addresses:
            file, _, key = address.partition("#")
            # itself, its sisters, and the page of the run, which lies beside them
            assert file in ("", "run-run-1.html", *PAGES)
            if key:
                assert key in pages[file or name].ids, address


def test_charts_have_a_name_for_who_cannot_see_them(folder: Path) -> None:
    charts = [chart for name in PAGES for chart in read(folder / name).charts]
    assert len(charts) == 14
    for chart in charts:
        title, _, text = str(chart["aria-label"]).partition(". ")
        assert title
        assert len(text) > 30


def test_names_are_the_masked_ones_and_escaped(folder: Path) -> None:
    for name in PAGES:
        assert "王小明" not in (folder / name).read_text(encoding="utf-8")
    text = (folder / "value.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;王*&lt;/b&gt;" in text
    assert "<b>王" not in text


def test_same_publication_same_bytes(published: Settings, folder: Path) -> None:
    first = [(folder / name).read_bytes() for name in PAGES]
    build(published)
    assert [(folder / name).read_bytes() for name in PAGES] == first


def test_only_the_owner_reads_the_pages(folder: Path) -> None:
    assert {(folder / name).stat().st_mode & 0o777 for name in PAGES} == {0o600}


EMPTY = {
    "health": "No table has been loaded yet",
    "overlap": "No customer has been published yet",
    "classes": "No customer has a value class yet",
    "pyramid": "Nobody bought in the last 12 months",
    "rfm": "No purchases to score yet",
    "quadrants": "No customer is in a quadrant yet",
    "transitions": "No move between classes is known yet",
    "valuable": "No customer has a value score yet",
    "rising": "No customer buys more than the year before",
    "worth": "No lifetime value is published",
    "risk": "No churn risk is published",
    "forecast": "No forecast is published",
    "quality": "No model has been judged yet",
    "collection": "No customer has a debt",
    "ageing": "Nothing is open",
    "rolls": "No debt has been followed for a month yet",
    "grades": "No customer has a credit grade yet",
    "warnings": "No warning of arrears is open",
    "overdue": "No customer is overdue",
    "losses": "No expected loss is told",
    "scorecard": "No scorecard is deployed",
    "stability": "No stability is told",
}


def test_empty_tables_give_notes(settings: Settings) -> None:
    publish(settings, empty=True)
    folder = build(settings).parent
    found = sections(folder)
    assert found.keys() >= EMPTY.keys()
    for key, note in EMPTY.items():
        assert note in found[key]
    # never a drawing of nothing
    assert not any(read(folder / name).charts for name in PAGES)


@pytest.mark.parametrize(
    "table",
    [
        "ops.runs",
        "ops.reconciliation",
        "customer.dim_customers",
        "value.customer_metrics",
        "value.rfm",
        "value.churn_reasons",
        "credit.credit_grades",
        "credit.grade_transitions",
        "credit.scorecard_quality",
    ],
)
def test_a_missing_table_leaves_the_rest(settings: Settings, table: str) -> None:
    publish(settings, without=table)
    folder = build(settings).parent
    for name, keys in SECTIONS.items():
        assert set(read(folder / name).sections) >= keys


def test_rows_that_do_not_add_up_are_the_finding(settings: Settings) -> None:
    publish(settings)
    with duckdb.connect(str(settings.published_file.resolve())) as connection:
        connection.execute("update ops.reconciliation set loaded = loaded - 1 where system = 'his'")
    build(settings)
    section = read(settings.run_reports / "index.html").sections["health"]
    assert "1 table does not add up: his.visits" in section


def test_nothing_published_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="no published file"):
        build(settings)
