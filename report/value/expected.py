"""What the models expect of customers: lifetime value, and the risk that they leave."""

from __future__ import annotations

import math

from report.charts import COLOURS, Chart, dots, numbers, places, powers, stacks
from report.parts import NOT_BETTER, Column, Section, Table, empty, person
from report.published import LONGEST_LIST, PERSON, Reader
from report.wording import compact, plural, whole, words


def worth(reader: Reader) -> Section:
    """Lifetime value against value so far."""
    title, source = "Lifetime value", "value.lifetime_value, customer.dim_customers"
    fifths = reader.rows("""
        with ranked as (
            select
                monetary_total, expected_spend_12m, probability_alive,
                ntile(5) over (order by monetary_total desc nulls last, customer_id) as fifth
            from value.lifetime_value
            where as_of_date = $as_of
        )
        select
            fifth, count(*) as customers, coalesce(sum(monetary_total), 0) as so_far,
            sum(expected_spend_12m) as expected, avg(probability_alive) as alive
        from ranked
        group by fifth
        order by fifth
    """)
    if not fifths:
        return empty("worth", title, "No lifetime value is published", source, NOT_BETTER)
    # quarters of a power of ten; what is below 1 stands at 1
    places_held = reader.rows("""
        select
            round(4 * log10(greatest(monetary_total, 1))) as so_far,
            round(4 * log10(greatest(expected_spend_12m, 1))) as expected,
            count(*) as customers
        from value.lifetime_value
        where
            as_of_date = $as_of and monetary_total is not null and expected_spend_12m is not null
        group by 1, 2
        order by customers desc, 1, 2
    """)
    people = reader.rows(f"""
        select
            {PERSON}, lifetime_value.monetary_total, lifetime_value.probability_alive,
            lifetime_value.expected_purchases_12m, lifetime_value.expected_spend_12m,
            lifetime_value.expected_spend_24m
        from value.lifetime_value
        inner join customer.dim_customers
            on dim_customers.customer_id = lifetime_value.customer_id
        where lifetime_value.as_of_date = $as_of
        order by lifetime_value.expected_spend_12m desc, lifetime_value.customer_id
        limit {LONGEST_LIST}
    """)
    points = []
    for row in places_held:
        so_far, expected = 10 ** (row["so_far"] / 4), 10 ** (row["expected"] / 4)
        tip = f"{plural(row['customers'], 'customer', 'customers')}: about {compact(so_far)} so far"
        points.append((so_far, expected, row["customers"], f"{tip}, {compact(expected)} expected"))
    most = max((row["customers"] for row in places_held), default=1)
    chart = Chart(
        "Value so far and expected value",
        "Circles: customers by what they spent so far across and what they are expected to spend in"
        " 12 months up, both in powers of ten; the largest holds"
        f" {plural(most, 'customer', 'customers')}. Far right and low: good customers of the"
        " past. Left and high: those to come.",
        powers(f"Spent so far, {reader.currency}", [at for at, *_ in points]),
        powers(f"Expected, 12 months, {reader.currency}", [up for _, up, *_ in points]),
        [dots("customers, by area", "accent", points, most)],
    )
    spent, to_come = (
        compact(sum(row[name] or 0 for row in fifths)) for name in ("so_far", "expected")
    )
    columns = [
        *person(),
        Column("Spent so far", "monetary_total", "money"),
        Column("Still a customer", "probability_alive", "share", is_spare=True),
        Column("Purchases, 12 months", "expected_purchases_12m", "figure", is_spare=True),
        Column("Expected, 12 months", "expected_spend_12m", "money"),
        Column("24 months", "expected_spend_24m", "money", is_spare=True),
    ]
    return Section(
        "worth",
        title,
        f"Buyers who spent {spent} {reader.currency} so far are expected to spend {to_come} in the"
        " next 12 months",
        "Buyers without a contract, and what BG/NBD and the mean amount expect of them; not"
        f" discounted. Fifths by what they spent so far, 1 = most. Amounts in {reader.currency}.",
        source,
        [
            *([chart] if points else []),
            Table(
                "Value so far and expected spend by fifth",
                [
                    Column("Fifth", "fifth"),
                    Column("Customers", "customers", "whole"),
                    Column("Spent so far", "so_far", "money"),
                    Column("Expected, 12 months", "expected", "money"),
                    Column("Still customers", "alive", "share"),
                ],
                fifths,
            ),
            Table(
                "Highest expected spend",
                columns,
                people,
                is_numbered=True,
                is_wide=True,
                is_folded=True,
            ),
        ],
    )


def risk(reader: Reader) -> Section:
    """Customers who may leave, what is at stake, and why they may."""
    title = "Customers at risk"
    source = "value.churn_risk, value.churn_reasons, value.customer_metrics, customer.dim_customers"
    rows = reader.rows(f"""
        with staked as (
            select
                churn_risk.customer_id, churn_risk.population, churn_risk.churn_probability,
                customer_metrics.monetary_12m,
                churn_risk.churn_probability * customer_metrics.monetary_12m as at_stake
            from value.churn_risk
            inner join value.customer_metrics
                on customer_metrics.customer_id = churn_risk.customer_id
                and customer_metrics.as_of_date = churn_risk.as_of_date
            where churn_risk.as_of_date = $as_of and customer_metrics.monetary_12m > 0
            order by at_stake desc, churn_risk.customer_id
            limit {LONGEST_LIST}
        ),

        reasoned as (
            select
                churn_reasons.customer_id, churn_reasons.population,
                list(
                    {{'feature': churn_reasons.feature, 'contribution': churn_reasons.contribution}}
                    order by churn_reasons.reason_rank
                ) as reasons
            from value.churn_reasons
            inner join staked
                on staked.customer_id = churn_reasons.customer_id
                and staked.population = churn_reasons.population
            where churn_reasons.as_of_date = $as_of and churn_reasons.contribution > 0
            group by churn_reasons.customer_id, churn_reasons.population
        )
        select {PERSON}, staked.*, reasoned.reasons
        from staked
        inner join customer.dim_customers on dim_customers.customer_id = staked.customer_id
        left join reasoned
            on reasoned.customer_id = staked.customer_id
            and reasoned.population = staked.population
        order by staked.at_stake desc, staked.customer_id
    """)
    if not rows:
        return empty("risk", title, "No churn risk is published", source, NOT_BETTER)
    deciles = reader.rows("""
        select
            churn_risk.risk_decile, churn_risk.population, count(*) as customers,
            avg(churn_risk.churn_probability) as probability,
            coalesce(sum(customer_metrics.monetary_12m), 0) as amount,
            coalesce(sum(churn_risk.churn_probability * customer_metrics.monetary_12m), 0)
                as at_stake
        from value.churn_risk
        inner join value.customer_metrics
            on customer_metrics.customer_id = churn_risk.customer_id
            and customer_metrics.as_of_date = churn_risk.as_of_date
        where churn_risk.as_of_date = $as_of
        group by churn_risk.population, churn_risk.risk_decile
        order by churn_risk.population, churn_risk.risk_decile
    """)
    ways = {"purchases": "freely", "contract": "by contract"}
    levels = sorted({row["risk_decile"] for row in deciles})
    staked = {(row["population"], row["risk_decile"]): row["at_stake"] for row in deciles}
    series = [
        (ways[way], style, [staked.get((way, level), 0) for level in levels])
        for way, style in zip(ways, COLOURS, strict=False)
        if any(row["population"] == way for row in deciles)
    ]
    tops = [
        sum(float(value) for value in at) for at in zip(*(held for *_, held in series), strict=True)
    ]
    chart = Chart(
        "At stake by decile of risk",
        "Bars: probability to leave times purchases of 12 months, summed by decile; decile 10 holds"
        " the customers at the highest risk. The highest bar is decile"
        f" {levels[tops.index(max(tops))]}.",
        places("Decile of risk, 10 = highest", [whole(level) for level in levels]),
        numbers(f"At stake, {reader.currency}", tops, compact),
        stacks(series, compact),
    )
    for row in rows:
        row["way"] = ways[row["population"]]
        row["why"] = (
            ", ".join(
                f"{words(each['feature'])} ×{math.exp(each['contribution']):.3g}"
                for each in (row["reasons"] or [])[:3]
            )
            or "–"
        )
    for row in deciles:
        row["way"] = ways[row["population"]]
    return Section(
        "risk",
        title,
        f"{compact(sum(tops))} {reader.currency} of a year's purchases are at stake",
        "At stake is the probability to leave times the purchases of 12 months. A reason ×2"
        " doubles the odds of leaving against the average customer; the strongest three are"
        " shown. What to do is a person's decision.",
        source,
        [
            chart,
            Table(
                "Risk by decile",
                [
                    Column("Decile", "risk_decile"),
                    Column("Buys", "way"),
                    Column("Customers", "customers", "whole"),
                    Column("May leave, mean", "probability", "share"),
                    Column("Purchases", "amount", "compact", is_spare=True),
                    Column("At stake", "at_stake", "compact"),
                ],
                deciles,
                is_folded=len(deciles) > 12,
            ),
            Table(
                "Most at stake",
                [
                    *person(),
                    Column("Buys", "way", is_spare=True),
                    Column("May leave", "churn_probability", "share"),
                    Column("Reasons", "why"),
                    Column("Purchases, 12 months", "monetary_12m", "money", is_spare=True),
                    Column("At stake", "at_stake", "compact"),
                ],
                rows,
                is_numbered=True,
                is_wide=True,
            ),
        ],
    )
