"""The part of the page about what the models expect: worth, risk, sales, and how good they are.

In: a function that runs a query on the published file. Out: a frozen `Predictions`, short lists
only; the curve of the forecast as points of a drawing. Touches nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Rows = Callable[..., list[Row]]

WIDTH, HEIGHT = 640, 180
"""Of the drawing, in its own units."""

LONGEST_LIST = 20


@dataclass(frozen=True)
class Predictions:
    """Empty lists where a model is not published; `quality` then says why."""

    fifths: list[Row] = field(default_factory=list)
    worth: list[Row] = field(default_factory=list)
    risks: list[Row] = field(default_factory=list)
    sold: list[Row] = field(default_factory=list)
    expected: list[Row] = field(default_factory=list)
    quality: list[Row] = field(default_factory=list)

    @property
    def curve(self) -> Row:
        """Points of the drawing: sold, expected, naive, and the band around what is expected."""
        shown = self.sold[-24:]
        top = max(
            [row["amount"] for row in shown] + [row["upper_amount"] for row in self.expected],
            default=0,
        )
        count = len(shown) + len(self.expected)

        def point(place: int, amount: Any) -> str:
            across = WIDTH * place / max(count - 1, 1)
            return f"{across:.1f},{HEIGHT * (1 - float(amount) / (float(top) or 1)):.1f}"

        later = list(enumerate(self.expected, len(shown)))
        last = [point(len(shown) - 1, shown[-1]["amount"])] if shown else []
        upper = [point(place, row["upper_amount"]) for place, row in later]
        lower = [point(place, row["lower_amount"]) for place, row in reversed(later)]
        return {
            "sold": " ".join(point(place, row["amount"]) for place, row in enumerate(shown)),
            "expected": " ".join(last + [point(p, row["forecast_amount"]) for p, row in later]),
            "naive": " ".join(last + [point(p, row["naive_amount"]) for p, row in later]),
            "band": " ".join(last + upper + lower),
            "first": shown[0]["month"] if shown else None,
            "last": self.expected[-1]["month"] if self.expected else None,
            "top": top,
            "width": WIDTH,
            "height": HEIGHT,
        }

    @property
    def total(self) -> Row:
        """What all buyers spent so far, and are expected to spend in a year."""
        return {
            name: sum(row[name] or 0 for row in self.fifths)
            for name in ("customers", "so_far", "expected")
        }


def read(rows: Rows) -> Predictions:
    """All parts; a table that the publication does not hold gives an empty part."""
    return Predictions(
        fifths=rows("value.lifetime_value", _FIFTHS),
        worth=rows("value.lifetime_value", _WORTH),
        risks=rows("value.churn_risk", _RISKS),
        sold=rows("sales.monthly_sales", _SOLD),
        expected=rows("sales.forecast", _EXPECTED),
        quality=rows("value.model_quality", _QUALITY),
    )


def words(code: str | None) -> str:
    """A code as words: recency_days -> recency days."""
    return (code or "").replace("_", " ")


_FIFTHS = """
    with ranked as (
        select
            monetary_total, expected_spend_12m, probability_alive,
            ntile(5) over (order by monetary_total desc nulls last, customer_id) as fifth
        from value.lifetime_value
    )
    select
        fifth, count(*) as customers, sum(monetary_total) as so_far,
        sum(expected_spend_12m) as expected, avg(probability_alive) as alive
    from ranked
    group by fifth
    order by fifth
"""

_PERSON = """
    dim_customers.customer_id, dim_customers.display_name, dim_customers.customer_type
"""

_WORTH = f"""
    select
        {_PERSON}, lifetime_value.monetary_total, lifetime_value.probability_alive,
        lifetime_value.expected_purchases_12m, lifetime_value.expected_spend_12m,
        lifetime_value.expected_spend_24m
    from value.lifetime_value
    inner join customer.dim_customers on dim_customers.customer_id = lifetime_value.customer_id
    order by lifetime_value.expected_spend_12m desc, lifetime_value.customer_id
    limit {LONGEST_LIST}
"""

_RISKS = f"""
    select
        {_PERSON}, churn_risk.population, churn_risk.churn_probability, churn_risk.reason_1,
        churn_risk.reason_2, churn_risk.reason_3, customer_metrics.monetary_12m,
        churn_risk.churn_probability * customer_metrics.monetary_12m as at_stake
    from value.churn_risk
    inner join customer.dim_customers on dim_customers.customer_id = churn_risk.customer_id
    inner join value.customer_metrics
        on customer_metrics.customer_id = churn_risk.customer_id
        and customer_metrics.as_of_date = churn_risk.as_of_date
    where customer_metrics.monetary_12m > 0
    order by at_stake desc, churn_risk.customer_id
    limit {LONGEST_LIST}
"""

_SOLD = """
    select month, amount
    from sales.monthly_sales
    where series_kind = 'all'
    order by month
"""

_EXPECTED = """
    select month, forecast_amount, lower_amount, upper_amount, naive_amount
    from sales.forecast
    where series_kind = 'all'
    order by month
"""

_QUALITY = """
    select
        model, metric, avg(value) as value, avg(baseline_value) as baseline_value,
        min(baseline) as baseline, count(*) as trials, bool_or(is_deciding) as is_deciding,
        bool_and(is_published) as is_published, min(note) as note
    from value.model_quality
    group by model, metric
    order by model, is_deciding desc, metric
"""
