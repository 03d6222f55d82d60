"""How each method of the scheme engine makes points, and points a class: schemes of rows only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dbt_project.scratch_warehouse import ScratchWarehouse
from tests.dbt_project.test_schemes import scheme_warehouse

DAY = "2026-01-31"
CUSTOMERS: dict[str, dict[str, str]] = {
    "a": {"frequency_total": "1", "recency_days": "1", "monetary_total": "80",
          "days_late_max": "30", "usage_category": "'industrial'", "loyalty_score": "0.5"},
    "b": {"frequency_total": "1", "recency_days": "50", "monetary_total": "15",
          "days_late_max": "31", "usage_category": "'public'", "loyalty_score": "4"},
    "c": {"frequency_total": "2", "recency_days": "90", "monetary_total": "5",
          "days_late_max": "9999"},
    "d": {"frequency_total": "3", "recency_days": "400"},
    "e": {},
}  # fmt: skip
"""Customer to metrics; whatever is not given is empty."""

INDICATORS: dict[str, str] = {
    # scheme: metric, direction, method, band_count, lower_bound, upper_bound, missing_rule
    "late": "days_late_max,less_is_better,{w},band,,,,",
    "fives": "frequency_total,more_is_better,{w},quantile,5,,,",
    "recent_fives": "recency_days,less_is_better,{w},quantile,5,,,",
    "share": "frequency_total,more_is_better,{w},percentile,,,,",
    "recent_share": "recency_days,less_is_better,{w},percentile,,,,",
    "fixed": "loyalty_score,more_is_better,{w},min_max,,1,5,",
    "own": "monetary_total,more_is_better,{w},min_max,,,,",
    "turned": "recency_days,less_is_better,{w},min_max,,0,100,",
    "use": "usage_category,more_is_better,{w},lookup,,,,",
    "pareto": "monetary_total,more_is_better,{w},cumulative_share,,,,",
}


def _scheme(
    name: str, indicators: dict[str, str], rule: str = "reweight", eligible: str = ""
) -> dict[str, list[str]]:
    """Rows of one scheme with equal weights: classes good (50 and more) and poor."""
    weight = 100 // len(indicators)
    return {
        "schemes": [f"{name},1,1900-01-01,{name},{name},{rule},{eligible},made up"],
        "scheme_indicators": [
            f"{name},1,{one},all,{cells.format(w=weight)},{one},{one},made up"
            for one, cells in indicators.items()
        ],
        "scheme_classes": [
            f"{name},1,good,50,,1,,Good,好,made up",
            f"{name},1,poor,,50,2,,Poor,差,made up",
        ],
        "scheme_actions": [
            f"{name},1,{one},wave,990,Wave,招手,x,false,made up" for one in ("good", "poor")
        ],
    }


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> ScratchWarehouse:
    """One scheme per method, four about missing values, and two decided by rules."""
    warehouse = scheme_warehouse(tmp_path_factory.mktemp("methods"), CUSTOMERS, [DAY])
    schemes = [_scheme(name, {name: cells}) for name, cells in INDICATORS.items()]
    both = {"x": INDICATORS["fixed"], "y": INDICATORS["use"]}
    schemes += [_scheme(rule, both, rule) for rule in ("reweight", "neutral", "worst")]
    schemes.append(_scheme("mixed", {**both, "y": both["y"] + "worst"}))
    schemes.append(_scheme("lost", {"r": INDICATORS["turned"]}, eligible="recency_days > 60"))
    table = _scheme("chosen", {"x": INDICATORS["own"], "y": INDICATORS["share"]})
    table["scheme_classes"] = ["chosen,1,good,,,1,,Good,好,made up",
                               "chosen,1,poor,,,2,,Poor,差,made up"]  # fmt: skip
    table["scheme_rules"] = [
        "chosen,1,1,1,good,class_rank,pareto,=,1,made up",
        "chosen,1,1,2,good,scheme_score,own,>=,100,made up",
        "chosen,1,2,1,poor,metric,frequency_total,=,1,made up",
        "chosen,1,3,1,good,group_points,all,>=,100,made up",
        "chosen,1,4,1,poor,always,,,,made up",
    ]
    schemes.append(table)
    for rows in schemes:
        for seed, lines in rows.items():
            warehouse.write_rows(seed, *lines)
    warehouse.write_rows(
        "scheme_bands",
        "late,1,late,,31,2,100,made up",
        "late,1,late,31,,1,20,made up",
    )
    warehouse.write_rows("scheme_lookups", "use,1,use,industrial,3,90,made up")
    for name in ("reweight", "neutral", "worst", "mixed"):
        warehouse.write_rows("scheme_lookups", f"{name},1,y,industrial,3,90,made up")
    warehouse.build("--exclude", "resource_type:test", as_of_dates=[DAY])
    return warehouse


def _points(scored: ScratchWarehouse, scheme: str) -> dict[str, Any]:
    return dict(
        scored.query(
            "select customer_id, cast(points as double) from value.score_details"
            f" where scheme = '{scheme}' order by 1"
        )
    )


POINTS = {
    # 30 days are below the bound of 31, 31 belong to the band that begins there
    "late": {"a": 100, "b": 20, "c": 20},
    # equal values share a band: places 0 0 2 3 of 3
    "fives": {"a": 0, "b": 0, "c": 75, "d": 100},
    "recent_fives": {"a": 100, "b": 75, "c": 25, "d": 0},
    "share": {"a": 0, "b": 0, "c": 66.6667, "d": 100},
    "recent_share": {"a": 100, "b": 66.6667, "c": 33.3333, "d": 0},
    # below the lower bound counts as the bound
    "fixed": {"a": 0, "b": 75},
    "own": {"a": 100, "b": 13.3333, "c": 0},
    "turned": {"a": 99, "b": 50, "c": 10, "d": 0},
    # a text that is not listed counts as missing
    "use": {"a": 90},
    # of 100: nobody has more than a, 80 are with those above b, 95 with those above c
    "pareto": {"a": 100, "b": 20, "c": 5},
}


@pytest.mark.parametrize("scheme", POINTS)
def test_points_of_each_method(scored: ScratchWarehouse, scheme: str) -> None:
    assert _points(scored, scheme) == POINTS[scheme]


def test_bands_are_told_where_a_method_has_them(scored: ScratchWarehouse) -> None:
    rows = scored.query(
        "select scheme, customer_id, band from value.score_details"
        " where scheme in ('fives', 'late', 'share', 'use') order by 1, 2"
    )
    assert rows == [
        ("fives", "a", 1), ("fives", "b", 1), ("fives", "c", 4), ("fives", "d", 5),
        ("late", "a", 2), ("late", "b", 1), ("late", "c", 1),
        ("share", "a", None), ("share", "b", None), ("share", "c", None), ("share", "d", None),
        ("use", "a", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "score", "weights", "treatment"),
    [
        ("reweight", 75, [100, 0], "reweight"),
        ("neutral", (75 + 50) / 2, [50, 50], "neutral"),
        ("worst", 75 / 2, [50, 50], "worst"),
        # the indicator's own rule overrules the scheme's
        ("mixed", 75 / 2, [50, 50], "worst"),
    ],
)
def test_missing_indicator_is_treated_and_shown(
    scored: ScratchWarehouse, scheme: str, score: float, weights: list[float], treatment: str
) -> None:
    rows = scored.query(
        "select cast(effective_weight as double), missing_treatment, is_missing"
        f" from value.score_details where scheme = '{scheme}' and customer_id = 'b'"
        " order by indicator"
    )
    assert [row[0] for row in rows] == weights
    assert [row[1:] for row in rows] == [(None, False), (treatment, True)]
    assert scored.query(
        "select cast(score as double) from value.scores"
        f" where scheme = '{scheme}' and customer_id = 'b'"
    ) == [(score,)]


def test_who_lacks_every_indicator_has_no_score(scored: ScratchWarehouse) -> None:
    scored_by = dict(
        scored.query(
            "select scheme, string_agg(customer_id, '' order by customer_id) from value.scores"
            " where scheme in ('reweight', 'neutral', 'lost') group by 1"
        )
    )
    assert scored_by == {"reweight": "ab", "neutral": "abcde", "lost": "cd"}


def test_rules_read_metrics_groups_and_the_class_of_another_scheme(
    scored: ScratchWarehouse,
) -> None:
    rows = scored.query(
        "select customer_id, class_code, class_rank from value.scores where scheme = 'chosen'"
        " order by 1"
    )
    # a by the class of pareto, d because all its points are 100
    assert rows == [("a", "good", 1), ("b", "poor", 2), ("c", "poor", 2), ("d", "good", 1)]


def test_a_class_includes_its_lower_bound(scored: ScratchWarehouse) -> None:
    rows = scored.query(
        "select customer_id, class_code from value.scores where scheme = 'turned' order by 1"
    )
    assert rows == [("a", "good"), ("b", "good"), ("c", "poor"), ("d", "poor")]
