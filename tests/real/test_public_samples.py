"""The pipeline on samples of public data: every figure equals one that does not come from it.

Every stage runs as in a round of the DAGs: extract, gate, load, dbt, audit, publish, page. With
KEHU_REAL_DATA set to the folder of the full sets, the same test runs on them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo.public import check, figures
from demo.public.check import Line
from expectations import gate
from expectations.published import audit
from extract import landing
from extract.contract import read_all
from extract.run import extract_system
from kehu.settings import Settings, load
from report.build import build
from warehouse import publish, raw, runs

DATA = Path(os.environ.get("KEHU_REAL_DATA") or Path(__file__).parent.parent / "data").resolve()
AS_OF_DATES = ("2011-12-10", "2012-12-31", "2013-06-30")
SYSTEMS = ("billing", "his", "orders")
RUN = "public-samples"

pytestmark = pytest.mark.timeout(900)
"""One fixture builds the whole warehouse; a loaded machine needs minutes for it."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with one published run over the public data."""
    home = tmp_path_factory.mktemp("public")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEHU_HOME", str(home))
        patch.setenv("KEHU_AS_OF_DATES", " ".join(AS_OF_DATES))
        patch.setenv("KEHU_REPORTING_CURRENCY", "GBP")
        for system in SYSTEMS:
            patch.setenv(f"KEHU_{system.upper()}_URL", f"file://{DATA}")
        found = load()
        patch.setenv("KEHU_WORK_FILE", str(found.work_file))
        _run(found, RUN)
        yield found


def _run(settings: Settings, run_id: str) -> None:
    """One round, in the order of the DAGs."""
    for system in SYSTEMS:
        _ingest(system, settings, run_id)
    raw.create_all(read_all(settings.contract_dirs), settings)
    as_of_dates = raw.as_of_dates(settings)
    with runs.run(settings, run_id, "build_customer_marts", date.fromisoformat(max(as_of_dates))):
        _build_marts(settings, as_of_dates)
    publish.publish(settings, run_id, audit)
    build(settings)


def _build_marts(settings: Settings, as_of_dates: list[str]) -> None:
    """Seeds and models in one dbt command. dbt's tests run where the models are tested."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    variables = {"as_of_dates": as_of_dates, "reporting_currency": settings.reporting_currency}
    project, target = str(settings.dbt_project), str(settings.dbt_target)
    quiet = ["--quiet", "--log-level-file", "warn", "--no-send-anonymous-usage-stats"]
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target]
    places += ["--log-path", str(settings.dbt_target.parent / "logs")]
    no_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    try:
        outcome = dbtRunner().invoke(
            [*quiet, "build", *places, *no_tests, "--vars", json.dumps(variables)]
        )
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert outcome.success, outcome.exception or [
        f"{result.node.name}: {result.message}"
        for result in outcome.result.results
        if str(result.status) not in ("success", "skipped")
    ]


def _ingest(system: str, settings: Settings, run_id: str) -> list[raw.LoadResult]:
    batches = extract_system(
        system,
        day=date(2013, 6, 30),
        run_id=run_id,
        watermarks=raw.watermarks(system, settings),
        settings=settings,
    )
    gate.require_passed(gate.validate_all(batches, settings))
    return raw.load_all(batches, settings, run_id)


@pytest.fixture(scope="module")
def lines(settings: Settings) -> dict[str, Line]:
    return {line.name: line for line in check.compare(DATA, settings)}


def test_every_figure_equals_the_independent_one(lines: dict[str, Line]) -> None:
    different = [check.show([line]) for line in lines.values() if not line.ok]
    assert not different, "\n".join(different)
    assert len(lines) > 80


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("rfm 12346", ("326", "1", "77183.60")),
        ("rfm 12347", ("3", "7", "4310.00")),
        ("rfm 14646", ("2", "73", "280206.02")),
        ("ageing 2012-12-31 not due", ("86", "4936.32")),
        ("ageing 2012-12-31 1-30", ("13", "788.74")),
        ("ageing 2013-06-30 not due", ("72", "4284.29")),
        ("ageing 2013-06-30 1-30", ("12", "835.56")),
        ("invoices amount", ("147703.18",)),
        ("subscribers without total charges", ("11",)),
        ("hospital events without case", ("1",)),
        ("tables that do not add up", ("0",)),
        ("customers made by hospital cases", ("0",)),
    ],
)
def test_published_figures(lines: dict[str, Line], name: str, figure: tuple[str, ...]) -> None:
    """Figures that hold on samples and full sets alike: the samples keep these rows whole."""
    assert lines[name].actual == tuple(Decimal(part) for part in figure)


def test_the_event_without_case_waits_in_quarantine(settings: Settings) -> None:
    batch = landing.batches(settings.landing, "his", "billing_events")[0]
    held = pq.read_table(batch.quarantine).to_pylist()
    assert [(row["case_no"], row["activity"], row["_reasons"]) for row in held] == [
        (None, "NEW", "case_no:not_null")
    ]


def test_identical_lines_are_separate_purchases(settings: Settings) -> None:
    """The file repeats lines; published sums count each, so none is dropped as a duplicate."""
    batch = landing.batches(settings.landing, "orders", "invoice_lines")[0]
    lines = pq.read_table(batch.passed).drop_columns(["_row"])
    distinct = lines.group_by(lines.column_names).aggregate([]).num_rows
    assert distinct < lines.num_rows
    result = next(row for row in _reconciliation(settings) if row["table"] == "invoice_lines")
    assert (result["loaded"], result["duplicate"]) == (lines.num_rows, 0)


def _reconciliation(settings: Settings) -> list[dict[str, object]]:
    from warehouse import connection

    with connection.read_published(settings.published_file) as con:
        cursor = con.execute("select * from ops.reconciliation")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_second_extraction_loads_nothing(settings: Settings) -> None:
    for system in SYSTEMS:
        for result in _ingest(system, settings, "public-samples-again"):
            assert (result.loaded, result.deleted) == (0, 0), result
            assert result.duplicate + result.quarantined == result.landed, result


def test_the_check_fails_on_a_difference(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main([str(DATA)]) == 0
    name = "rfm buyers with r 1"
    wrong = figures.expected(DATA) | {name: (Decimal(-1),)}
    monkeypatch.setattr(figures, "expected", lambda _: wrong)
    assert check.main([str(DATA)]) == 1
    different = [line for line in capsys.readouterr().out.splitlines() if "DIFFERENT" in line]
    assert len(different) == 1
    assert different[0].startswith(name)
