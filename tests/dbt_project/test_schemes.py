"""Schemes are data: rows make a new one, and rows that break a law stop the build by name."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

CUSTOMERS: dict[str, dict[str, str]] = {
    # customer: metrics by name
    "ann": {"frequency_total": "1", "monetary_total": "10", "usage_category": "'industrial'"},
    "bob": {"frequency_total": "5", "monetary_total": "50", "usage_category": "'public'"},
    "cat": {"frequency_total": "9", "monetary_total": "90"},
    "dan": {"monetary_12m": "1"},
}
DATES = ("2025-12-31", "2026-01-31")


def _metrics_sql(
    columns: list[tuple[str, str]], customers: Mapping[str, Mapping[str, str]], dates: Sequence[str]
) -> str:
    """Each customer on each date; every metric that is not given is empty."""
    rows = []
    for date in dates:
        for customer, metrics in customers.items():
            fixed = {"as_of_date": f"'{date}'", "customer_id": f"'{customer}'"}
            values = {"currency_code": "'CNY'", **fixed, **metrics}
            cells = [
                f"cast({values.get(name, 'null')} as {kind}) as {name}" for name, kind in columns
            ]
            rows.append("select " + ", ".join(cells))
    return "\nunion all\n".join(rows)


OTHER_STEPS = (
    *("int_cycle_observations", "int_debt_buckets", "int_purchase_days", "int_receivable_books"),
    *("int_receivable_movements", "int_receivable_states", "int_roll_steps"),
    "int_told_cancellations",
)
"""What is told by the same note as the points (int_told_fingerprints)."""


def scheme_warehouse(
    folder: Path,
    customers: Mapping[str, Mapping[str, str]] = CUSTOMERS,
    dates: Sequence[str] = DATES,
) -> ScratchWarehouse:
    """The scheme engine alone, on made-up metrics."""
    warehouse = ScratchWarehouse.make(folder, ["schemes"], {})
    columns = warehouse.columns("customer_metrics")
    metrics = folder / "models" / "metrics"
    metrics.mkdir()
    (metrics / "customer_metrics.sql").write_text(
        _metrics_sql(columns, customers, dates), encoding="utf-8"
    )
    promised = [{"name": name, "data_type": kind} for name, kind in columns]
    (metrics / "metrics.yml").write_text(
        yaml.safe_dump({"models": [{"name": "customer_metrics", "columns": promised}]}),
        encoding="utf-8",
    )
    # Who exists, and what a build before told, is not the matter here: every date is scored.
    for name in ("int_as_of_dates", "int_month_steps"):
        shutil.copy(PROJECT / "models" / "metrics" / f"{name}.sql", metrics)
    for name, query in {
        "dim_customers": "select distinct customer_id from {{ ref('customer_metrics') }}",
        "int_stale_buckets": "select distinct as_of_date from {{ ref('customer_metrics') }}",
        **dict.fromkeys(OTHER_STEPS, "select as_of_date from {{ ref('int_as_of_dates') }}"),
        "int_fact_fingerprints": "select '' as bucket, cast(null as date) as month,"
        " cast(0 as bigint) as facts, cast(0 as decimal(38, 0)) as fact_sum",
    }.items():
        (metrics / f"{name}.sql").write_text(query, encoding="utf-8")
    return warehouse


def _replace(warehouse: ScratchWarehouse, seed: str, old: str, new: str) -> None:
    path = warehouse.folder / "seeds" / "schemes" / f"{seed}.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old} stands in {seed}.csv once"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> ScratchWarehouse:
    """The shipped schemes and a new one in two versions, added by rows only."""
    warehouse = scheme_warehouse(tmp_path_factory.mktemp("extended"))
    warehouse.write_rows(
        "schemes",
        "size,1,1900-01-01,Size,规模,worst,frequency_total,made up",
        "size,2,2026-01-01,Size,规模,worst,frequency_total,made up",
    )
    warehouse.write_rows(
        "scheme_indicators",
        "size,1,often,all,frequency_total,more_is_better,100,band,,,,,Often,频,made up",
        "size,2,often,all,frequency_total,more_is_better,60,band,,,,,Often,频,made up",
        "size,2,use,all,usage_category,more_is_better,40,lookup,,,,,Use,用途,made up",
    )
    warehouse.write_rows(
        "scheme_bands",
        "size,1,often,,5,1,20,made up",
        "size,1,often,5,,2,80,made up",
        "size,2,often,,5,1,10,made up",
        "size,2,often,5,,2,100,made up",
    )
    warehouse.write_rows("scheme_lookups", "size,2,use,industrial,1,100,made up")
    for version in (1, 2):
        warehouse.write_rows(
            "scheme_classes",
            f"size,{version},big,50,,1,,Big,大,made up",
            f"size,{version},small,,50,2,,Small,小,made up",
        )
        warehouse.write_rows(
            "scheme_actions",
            *(
                f"size,{version},{one},wave,990,Wave,招手,x,false,made up"
                for one in ("big", "small")
            ),
        )
    warehouse.build("--exclude", "resource_type:test", as_of_dates=DATES)
    return warehouse


def test_a_scheme_of_rows_only_yields_scores_by_the_version_of_the_date(
    extended: ScratchWarehouse,
) -> None:
    scores = extended.query(
        "select cast(as_of_date as varchar), customer_id, cast(score as double), class_code,"
        " version from value.scores where scheme = 'size' order by 1, 2"
    )
    assert scores == [
        ("2025-12-31", "ann", 20.0, "small", 1),
        ("2025-12-31", "bob", 80.0, "big", 1),
        ("2025-12-31", "cat", 80.0, "big", 1),
        # version 2: 60 % of the band, 40 % of the use, which is missing (worst) for bob and cat
        ("2026-01-31", "ann", 46.0, "small", 2),
        ("2026-01-31", "bob", 60.0, "big", 2),
        ("2026-01-31", "cat", 60.0, "big", 2),
    ]


def test_details_say_what_was_missing(extended: ScratchWarehouse) -> None:
    details = extended.query(
        "select customer_id, raw_text, is_missing, missing_treatment from value.score_details"
        " where scheme = 'size' and indicator = 'use' order by 1"
    )
    assert details == [
        ("ann", "industrial", False, None),
        ("bob", "public", True, "worst"),
        ("cat", None, True, "worst"),
    ]


def test_the_shipped_schemes_score_only_who_has_what_they_ask_for(
    extended: ScratchWarehouse,
) -> None:
    scored = dict(
        extended.query("select scheme, count(distinct customer_id) from value.scores group by 1")
    )
    # dan bought nothing
    assert (scored["rfm"], scored["size"]) == (3, 3)
    # nobody has a debt, a supply account, or has been away for a year
    assert not {"power_credit", "win_back"} & scored.keys()


# one planted error each: seed, what stands there, what to write instead, what the message must say
ERRORS = {
    "weights": (
        "scheme_indicators",
        "monetary_12m,more_is_better,25,",
        "monetary_12m,more_is_better,24,",
        "scheme_indicators: scheme value_score, version 1: the weights sum to 99",
    ),
    "metric": (
        "scheme_indicators",
        "rfm,1,monetary,fm,monetary_total,",
        "rfm,1,monetary,fm,moneybags,",
        "scheme rfm, version 1, indicator monetary: metric moneybags does not exist",
    ),
    "gap between bands": (
        "scheme_bands",
        "power_credit,1,days_late_max,31,61,",
        "power_credit,1,days_late_max,31,60,",
        "indicator days_late_max, lower bound 31.000000: ends at 60.000000 and leaves a gap",
    ),
    "overlap of bands": (
        "scheme_bands",
        "power_credit,1,collection_rate,0.5,0.8,",
        "power_credit,1,collection_rate,0.5,0.85,",
        "indicator collection_rate, lower bound 0.500000: ends at 0.850000 and overlaps",
    ),
    "gap between classes": (
        "scheme_classes",
        "value_score,1,important,70,85,",
        "value_score,1,important,70,84,",
        "scheme_classes: scheme value_score, version 1, lower bound 70.000000: ends at 84.000000",
    ),
    "no default rule": (
        "scheme_rules",
        "rfm,1,9,1,hibernating,always,,,,",
        "rfm,1,9,1,hibernating,indicator_band,recency,<=,2,",
        "scheme rfm, version 1, rule 9, condition 1: the last rule must be the default",
    ),
    "action of no class": (
        "scheme_actions",
        "power_credit,1,D,expose_publicly,",
        "power_credit,1,E,expose_publicly,",
        "scheme power_credit, version 1, class E, action expose_publicly: scheme_classes has no",
    ),
    "class without action": (
        "scheme_actions",
        "rfm,1,needs_attention,",
        "rfm,1,loyal,",
        "scheme_classes: scheme rfm, version 1, class needs_attention: no row of scheme_actions",
    ),
    "customers compared with a word": (
        "schemes",
        "流失客户挽回,reweight,recency_days > 365,",
        "流失客户挽回,reweight,recency_days > long,",
        "scheme win_back, version 1: eligible_metric recency_days > long is no metric, nor",
    ),
    "missing rule": (
        "schemes",
        "客户价值评分,reweight,",
        "客户价值评分,guess,",
        "schemes: scheme value_score, version 1: missing_rule guess is none of",
    ),
    "gap between buckets": (
        "ageing_buckets",
        "31-60,31,60,",
        "31-60,32,60,",
        "ageing_buckets: all, lower bound 1.000000: ends at 31.000000 and leaves a gap",
    ),
}


SEEDS = {error[0] for error in ERRORS.values()}


@pytest.fixture(scope="module")
def refusal(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScratchWarehouse, str]:
    """All errors planted at once, and what the build says about them."""
    warehouse = scheme_warehouse(tmp_path_factory.mktemp("refused"))
    for seed, old, new, _ in ERRORS.values():
        _replace(warehouse, seed, old, new)
    outcome = warehouse.dbt("build", "--exclude", "resource_type:test", as_of_dates=DATES)
    assert not outcome.success
    failed = [one for one in outcome.result.results if str(one.status) == "error"]
    assert [one.node.name for one in failed] == ["int_scheme_faults"], "stopped by the laws alone"
    return warehouse, str(failed[0].message)


@pytest.mark.parametrize("error", ERRORS)
def test_a_seed_that_breaks_a_law_stops_the_build_by_name(
    refusal: tuple[ScratchWarehouse, str], error: str
) -> None:
    assert ERRORS[error][3] in refusal[1]


def test_only_the_rows_at_fault_are_named(refusal: tuple[ScratchWarehouse, str]) -> None:
    named = [line for line in refusal[1].splitlines() if line.strip().split(":")[0] in SEEDS]
    assert len(named) == len(ERRORS)


def test_nothing_is_scored_after_a_fault(refusal: tuple[ScratchWarehouse, str]) -> None:
    tables = refusal[0].query("select table_name from duckdb_tables() where schema_name = 'value'")
    assert ("scores",) not in tables
    assert ("score_details",) not in tables


def test_every_default_says_that_it_is_ours() -> None:
    """Rows that no document gave name themselves as our default."""
    for seed in ("scheme_indicators", "scheme_bands", "scheme_classes", "scheme_rules"):
        with (PROJECT / "seeds" / "schemes" / f"{seed}.csv").open(encoding="utf-8") as file:
            silent = [
                row
                for row in csv.DictReader(file)
                if "our default" not in row["description"] and "documents" not in row["description"]
            ]
        assert silent == []
