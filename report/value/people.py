"""Lists of customers, masked: the most valuable, and those who rise."""

from __future__ import annotations

from report.parts import BUILD, Column, Section, Table, empty, person
from report.published import LONGEST_LIST, PERSON, Reader
from report.wording import compact, percent, plural, share


def valuable(reader: Reader) -> Section:
    """The customers with the highest value score."""
    title = "Top customers"
    source = "value.value_scores, value.customer_metrics, customer.dim_customers"
    rows = reader.rows(f"""
        select
            {PERSON}, value_scores.score, value_scores.class_code, rfm.segment,
            customer_metrics.monetary_12m, customer_metrics.open_amount,
            customer_metrics.overdue_amount
        from value.value_scores
        inner join customer.dim_customers on dim_customers.customer_id = value_scores.customer_id
        left join value.rfm
            on rfm.customer_id = value_scores.customer_id
            and rfm.as_of_date = value_scores.as_of_date
        left join value.customer_metrics
            on customer_metrics.customer_id = value_scores.customer_id
            and customer_metrics.as_of_date = value_scores.as_of_date
        where value_scores.as_of_date = $as_of and value_scores.score is not null
        order by
            value_scores.score desc, customer_metrics.monetary_12m desc nulls last,
            value_scores.customer_id
        limit {LONGEST_LIST}
    """)
    if not rows:
        return empty("valuable", title, "No customer has a value score yet", source, BUILD)
    bought = reader.rows(
        "select sum(monetary_12m) as amount from value.customer_metrics where as_of_date = $as_of"
    )[0]["amount"]
    listed = sum(row["monetary_12m"] or 0 for row in rows)
    named = [
        row
        | {
            "class": reader.name("value_score", row["class_code"]).english,
            "segment": reader.name("rfm", row["segment"]).english,
        }
        for row in rows
    ]
    columns = [
        *person(),
        Column("Score", "score", "figure"),
        Column("Class", "class"),
        Column("RFM segment", "segment", is_spare=True),
        Column("Purchases, 12 months", "monetary_12m", "money"),
        Column("Open", "open_amount", "money", is_spare=True),
        Column("Overdue", "overdue_amount", "money", is_spare=True),
    ]
    return Section(
        "valuable",
        title,
        f"The {len(rows)} most valuable customers"
        + (f" bring {percent(share(listed, bought))} of the year's purchases" if listed else ""),
        "By value score, 0 to 100. Names are masked; who has no name is shown by the start of the"
        " customer_id. The dots say which systems know the customer. Amounts in"
        f" {reader.currency}.",
        source,
        [Table("Most valuable customers", columns, named, is_numbered=True, is_wide=True)],
    )


def rising(reader: Reader) -> Section:
    """The customers whose purchases grew most against the year before."""
    title, source = "Rising customers", "value.customer_metrics, customer.dim_customers"
    rows = reader.rows(f"""
        select
            {PERSON}, customer_metrics.monetary_12m, customer_metrics.growth_12m,
            customer_metrics.monetary_12m / (1 + customer_metrics.growth_12m) as year_before,
            customer_metrics.monetary_12m * customer_metrics.growth_12m
            / (1 + customer_metrics.growth_12m) as rise
        from value.customer_metrics
        inner join customer.dim_customers
            on dim_customers.customer_id = customer_metrics.customer_id
        where customer_metrics.as_of_date = $as_of and customer_metrics.growth_12m > 0
        order by rise desc, customer_metrics.customer_id
        limit {LONGEST_LIST}
    """)
    if not rows:
        return empty(
            "rising",
            title,
            "No customer buys more than the year before",
            source,
            "Growth needs two years of purchases; load older ones, or come back later.",
        )
    columns = [
        *person(),
        Column("Year before", "year_before", "compact", is_spare=True),
        Column("Purchases, 12 months", "monetary_12m", "money"),
        Column("Rise", "rise", "compact"),
        Column("", "rise", "bar"),
        Column("Growth", "growth_12m", "share"),
    ]
    return Section(
        "rising",
        title,
        f"{plural(len(rows), 'customer', 'customers')} bought"
        f" {compact(sum(r['rise'] for r in rows))} {reader.currency} more than the year before",
        "By the rise of their purchases of 12 months against the 12 months before. Customers"
        f" without purchases in the year before are new, not rising. Amounts in {reader.currency}.",
        source,
        [
            Table(
                "Customers whose purchases rose most", columns, rows, is_numbered=True, is_wide=True
            )
        ],
    )
