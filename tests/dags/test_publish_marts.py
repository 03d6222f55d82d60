"""`publish_marts`: what the newest build finished, audited, one run id, then page and report."""

from __future__ import annotations

import json
import stat
from typing import Any

import jsonschema
import pytest

from analytics.checks import credit
from kehu.errors import WarehouseError
from kehu.settings import SYSTEMS, Settings
from tests.dags.conftest import Round
from warehouse import connection, runs
from warehouse.run_report import COUNTS, SCHEMA


def test_shape(dags: dict[str, Any]) -> None:
    dag = dags["publish_marts"]
    assert dag.get_task("publish").downstream_task_ids == {"report"}
    assert [asset.name for asset in dag.get_task("publish").outlets] == ["published"]
    assert [asset.name for asset in dag.timetable.asset_condition.objects] == ["marts"]


def test_every_published_table_carries_the_run_of_the_build(first_round: Round) -> None:
    run_id = runs.built_run(first_round.settings)
    with connection.read_published(first_round.published) as con:
        tables = con.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema <> 'ops'"
        ).fetchall()
        found = {
            row
            for schema, table in tables
            for row in con.execute(f'select distinct run_id from "{schema}"."{table}"').fetchall()
        }
    assert len(tables) >= 9
    assert not [table for _, table in tables if table.startswith("int_")]
    assert found == {(run_id,)}
    assert first_round.published.name.startswith("kehu-")


def test_run_report_and_page_stand_beside_it(first_round: Round) -> None:
    settings = first_round.settings
    run_id = runs.built_run(settings)
    path = settings.run_reports / f"run-{run_id}.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["run"]["run_id"] == run_id
    with connection.read_published(first_round.published) as con:
        (odd,) = con.execute("select count(*) from credit.receivable_exceptions").fetchone() or (0,)
    assert sum(each["records"] for each in report["exceptions"]) == odd
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first_round.published.stem in (settings.run_reports / "index.html").read_text(
        encoding="utf-8"
    )


def test_every_run_left_a_report_and_a_page(first_round: Round) -> None:
    """Whatever other tests ran since: every batch that was published, its ingest told the same."""
    settings = first_round.settings
    run_id = runs.built_run(settings)
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    published, ingested = {}, {}
    for path in settings.run_reports.glob("run-*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        schema.validate(content)
        assert path.with_suffix(".html").is_file()
        of_ingest = content["run"]["dag_id"].startswith("ingest_")
        if of_ingest or content["run"]["run_id"] == run_id:
            told = ingested if of_ingest else published
            told |= {row["batch"]: row for row in content["tables"]}
    # the build's own batches, of customer ids, come from no source
    assert {row["system"] for row in published.values()} == {*SYSTEMS, "identity"}
    for batch, row in published.items():
        assert row["system"] == "identity" or {name: row[name] for name in COUNTS} == {
            name: ingested[batch][name] for name in COUNTS
        }
    assert sum(row["source"] for row in published.values()) > 0
    page = (settings.run_reports / "index.html").read_text(encoding="utf-8")
    assert f'href="run-{run_id}.html"' in page


def test_an_unfinished_build_is_not_published(first_round: Round) -> None:
    """While a newer build runs, or after one failed, the marts may be of two states."""
    settings = first_round.settings
    for status in ("running", "failed"):
        runs.start(settings, "newer", "build_customer_marts")
        if status == "failed":
            runs.finish(settings, "newer", "failed")
        with pytest.raises(WarehouseError, match=f"is {status}"):
            runs.built_run(settings)
    with connection.write(settings) as con:
        con.execute("delete from ops.runs where run_id = 'newer'")


def test_the_screen_shows_tables_marts_seconds_and_the_page(first_round: Round) -> None:
    shown: str = first_round.screen
    for text in ("billing.bills", "customer_360", "seconds", "index.html", "quarantined"):
        assert text in shown


def test_nothing_is_published_before_a_build(settings: Settings) -> None:
    runs.start(settings, "r", "ingest_billing")
    with pytest.raises(WarehouseError, match="no build yet"):
        runs.built_run(settings)


def test_books_and_scores_of_a_publication_hold(first_round: Round) -> None:
    found = credit.books(first_round.settings.home) | credit.scores(first_round.settings.home)
    assert found["months of the books"] > 12
    assert found["scores"] > 100
    assert {name: count for name, count in found.items() if "that" in name and count} == {}
