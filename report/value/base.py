"""How customers and what they bring are spread: classes, pyramid, RFM grid."""

from __future__ import annotations

from report.charts import COLOURS, Chart, line, numbers
from report.parts import BUILD, Column, Name, Row, Section, Table, empty, heat, share_out, shares
from report.published import Reader
from report.wording import percent, share, whole

TIERS = (1, 5, 20, 50, 100)
"""Of the pyramid: percentages of customers, those who bring most first."""


def classes(reader: Reader) -> Section:
    """Customers and purchases by class of value."""
    source = "value.value_scores, value.customer_metrics"
    rows = reader.rows("""
        select
            value_scores.class_code, count(*) as customers, avg(value_scores.score) as score,
            coalesce(sum(customer_metrics.monetary_12m), 0) as amount
        from value.value_scores
        left join value.customer_metrics
            on customer_metrics.customer_id = value_scores.customer_id
            and customer_metrics.as_of_date = value_scores.as_of_date
        where value_scores.as_of_date = $as_of and value_scores.class_code is not null
        group by value_scores.class_code
        order by score desc nulls last
    """)
    if not rows:
        return empty("classes", "Value classes", "No customer has a value class yet", source, BUILD)
    share_out(rows)
    first = rows[0]
    columns = [
        Column("Class", "name", "name"),
        *shares("customers", "purchases"),
        Column("Mean score", "score", "figure", is_spare=True),
    ]
    named = [row | {"name": reader.name("value_score", row["class_code"])} for row in rows]
    return Section(
        "classes",
        "Value classes",
        f"{named[0]['name'].english}: {percent(first['customers_share'])} of scored customers, "
        f"{percent(first['amount_share'])} of the year's purchases",
        "Classes of the scheme value_score, best first, with what their customers bought in the 12 "
        f"months to the as-of date, in {reader.currency}.",
        source,
        [Table("Value classes with their share of customers and of purchases", columns, named)],
    )


def pyramid(reader: Reader) -> Section:
    """What the customers who bring most bring together."""
    title, source = "Pyramid and Pareto curve", "value.value_pyramid"
    rows = reader.rows("""
        select
            basis, customer_percent, label_en, label_zh, customers, amount, cumulative_customers,
            cumulative_amount, cumulative_share
        from value.value_pyramid
        where as_of_date = $as_of
        order by basis, customer_percent
    """)
    year = [row for row in rows if row["basis"] == "monetary_12m"]
    if not year:
        return empty("pyramid", title, "Nobody bought in the last 12 months", source, BUILD)
    curves = {
        "purchases, 12 months": year,
        "margin, 12 months": [row for row in rows if row["basis"] == "margin_12m"],
        "purchases so far": [row for row in rows if row["basis"] == "monetary_total"],
    }
    told = next(row for row in year if row["customer_percent"] >= 20)
    finding = (
        f"{percent(told['customer_percent'] / 100)} of buyers bring "
        f"{percent(float(told['cumulative_share']))} of the year's purchases"
    )
    marks = [
        line(
            name,
            style,
            [(0, 0), *((row["customer_percent"], row["cumulative_share"]) for row in curve)],
        )
        for (name, curve), style in zip(curves.items(), COLOURS, strict=False)
        if curve
    ]
    chart = Chart(
        "Pareto curve",
        f"Cumulative share of value by cumulative share of customers, best first: {finding}.",
        numbers("Share of customers, best first", [100], lambda at: percent(at / 100)),
        numbers("Share of value", [1], percent),
        [*marks, line("everybody the same", "quiet", [(0, 0), (100, 1)], dashed=True)],
    )
    tiers: list[Row] = []
    for row in year:
        if not tiers or tiers[-1]["customer_percent"] in TIERS:
            tiers.append(dict.fromkeys(("customers", "amount"), 0))
        tiers[-1] |= {
            "customers": tiers[-1]["customers"] + row["customers"],
            "amount": tiers[-1]["amount"] + row["amount"],
            "customer_percent": row["customer_percent"],
            "name": Name(row["label_en"], row["label_zh"]),
            "cumulative_share": row["cumulative_share"],
        }
    share_out(tiers)
    return Section(
        "pyramid",
        title,
        finding,
        "Customers with purchases in the 12 months to the as-of date, those who bring most on"
        " top. A level holds who is in no level above it; the table below the curve has all"
        " levels.",
        source,
        [
            Table(
                "Customer pyramid",
                [
                    Column("Level", "name", "name"),
                    Column("Customers", "customers", "whole"),
                    Column("", "customers", "centred"),
                    Column(f"Purchases, {reader.currency}", "amount", "compact", is_spare=True),
                    Column("Share of purchases", "amount_share", "sharebar second"),
                ],
                tiers,
            ),
            chart,
            Table(
                "All levels of the curve: purchases of 12 months",
                [
                    Column("Best", "label_en"),
                    Column("Customers up to here", "cumulative_customers", "whole"),
                    Column(f"What they bring, {reader.currency}", "cumulative_amount", "money"),
                    Column("Share", "cumulative_share", "share"),
                ],
                year,
                is_folded=True,
                is_wide=True,
            ),
        ],
    )


def rfm(reader: Reader) -> Section:
    """Recency and frequency bands against each other, and the segments made of them."""
    title, source = "RFM grid", "value.rfm"
    cells = reader.rows("""
        select
            r_score, f_score, count(*) as customers, coalesce(sum(monetary), 0) as amount
        from value.rfm
        where as_of_date = $as_of and r_score is not null and f_score is not null
        group by r_score, f_score
    """)
    segments = reader.rows("""
        select
            segment, count(*) as customers, coalesce(sum(monetary), 0) as amount,
            median(recency_days) as recency_days
        from value.rfm
        where as_of_date = $as_of and segment is not null
        group by segment
        order by amount desc, segment
    """)
    if not cells or not segments:
        return empty("rfm", title, "No purchases to score yet", source, BUILD)
    share_out(segments)
    named = [row | {"name": reader.name("rfm", row["segment"])} for row in segments]
    bought = sum(cell["amount"] for cell in cells)
    amounts = {(cell["r_score"], cell["f_score"]): cell["amount"] for cell in cells}
    bands = range(1, 6)
    grid = heat(
        "Buyers by recency band and frequency band, with their share of purchases",
        ("Recency", {5: "R 5 recent", 4: "R 4", 3: "R 3", 2: "R 2", 1: "R 1 long ago"}),
        (
            "Frequency",
            {band: {1: "F 1 seldom", 5: "F 5 often"}.get(band, f"F {band}") for band in bands},
        ),
        {(cell["r_score"], cell["f_score"]): cell["customers"] for cell in cells},
        lambda place, customers: (whole(customers), percent(share(amounts[place], bought))),
    )
    columns = [
        Column("Segment", "name", "name"),
        *shares("buyers", "purchases"),
        Column("Days since last, median", "recency_days", "whole", is_spare=True),
    ]
    first = named[0]
    return Section(
        "rfm",
        title,
        f"{first['name'].english}: {percent(first['customers_share'])} of buyers, "
        f"{percent(first['amount_share'])} of all purchases",
        "Buyers by how recently (rows, 5 = most recent) and how often (columns, 5 = most often)"
        " they bought. Big number: customers; a stronger colour means more. Small: their share of"
        " all purchases so far.",
        source,
        [grid, Table("RFM segments with their share of buyers and of purchases", columns, named)],
    )
