"""Which statistics run between the layers of dbt: what each reads, what it makes.

In: nothing. Out: `STEPS`. Touches nothing; a function is imported when its step runs.

A step is a pure function: Arrow tables by name and the as-of dates in, Arrow tables by name out.
Its tables lie in the schema `analytics`; dbt reads them as sources, whose columns stand in
`dbt_project/models/statistics/_analytics__sources.yml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

import pyarrow as pa

SCHEMA = "analytics"


@dataclass(frozen=True)
class Step:
    """One computation. `reads`: argument of the function to `<schema>.<table>` of the warehouse."""

    name: str
    after: str
    """The layer of dbt that has what it reads."""
    reads: Mapping[str, str]
    makes: Sequence[str]
    """Tables of the schema `analytics`; the function returns each of them, empty or not."""
    function: str
    """`<module>:<function>`, called as `function(as_of_dates, **tables)`."""

    def run(
        self, as_of_dates: Sequence[date], tables: Mapping[str, pa.Table]
    ) -> Mapping[str, pa.Table]:
        """Call the function; raises `ValueError` when it makes other tables than the step says."""
        module, _, name = self.function.partition(":")
        function: Any = getattr(import_module(module), name)
        made: Mapping[str, pa.Table] = function(as_of_dates, **tables)
        if set(made) != set(self.makes):
            raise ValueError(f"{self.function} makes {sorted(made)}, not {sorted(self.makes)}")
        return made


STEPS: tuple[Step, ...] = (
    Step(
        name="linkage",
        after="records",
        reads={
            "records": "identity.int_source_records",
            "exact_edges": "identity.int_exact_edges",
            "previous_edges": "analytics.linkage_edges",
            "previous_explanations": "analytics.linkage_explanations",
            "previous_records": "analytics.linkage_records",
            "previous_runs": "analytics.linkage_runs",
        },
        makes=["linkage_edges", "linkage_explanations", "linkage_records", "linkage_runs"],
        function="analytics.linkage.step:step",
    ),
    Step(
        name="cycle_regression",
        after="metrics",
        reads={
            "observations": "value.int_cycle_observations",
            "settings": "statistics.model_settings",
        },
        makes=["cycle_regression"],
        function="analytics.cycle_regression:regress",
    ),
    Step(
        name="lifetime_value",
        after="statistics",
        reads={"histories": "statistics.int_repeat_purchases"},
        makes=("lifetime_value", "lifetime_value_parameters", "lifetime_value_quality"),
        function="analytics.lifetime.step:step",
    ),
    Step(
        name="churn_risk",
        after="statistics",
        reads={
            "purchases": "statistics.int_churn_purchases",
            "contracts": "statistics.int_churn_contracts",
            "settings": "statistics.model_settings",
        },
        makes=("churn_risk", "churn_contributions", "churn_quality"),
        function="analytics.churn.step:step",
    ),
    Step(
        name="customer_clusters",
        after="statistics",
        reads={"metrics": "statistics.int_cluster_metrics"},
        makes=("customer_clusters", "customer_clusters_quality"),
        function="analytics.clusters:step",
    ),
    Step(
        name="cross_sell",
        after="statistics",
        reads={
            "items": "statistics.int_customer_items",
            "settings": "statistics.model_settings",
        },
        makes=("cross_sell", "cross_sell_quality"),
        function="analytics.affinity:step",
    ),
    Step(
        name="sales_forecast",
        after="statistics",
        reads={
            "sales": "statistics.int_monthly_sales",
            "demand": "statistics.int_monthly_demand",
            "settings": "statistics.model_settings",
        },
        makes=("sales_forecast", "sales_backtest", "safety_stock", "sales_quality"),
        function="analytics.forecast:step",
    ),
)
