"""Who moved: between quadrants within a quarter, between classes month by month."""

from __future__ import annotations

from itertools import cycle

from report.charts import COLOURS, Chart, dots, numbers, places, stacks
from report.parts import (
    BUILD,
    Column,
    Section,
    Table,
    at_month_ends,
    by_month,
    empty,
    heat,
    share_out,
    shares,
)
from report.published import Reader
from report.wording import month, percent, plural, share, whole


def quadrants(reader: Reader) -> Section:
    """Current against potential value, and who changed the quadrant within a quarter."""
    title, source = "Quadrants", "value.value_quadrants, value.customer_metrics"
    rows = reader.rows("""
        select
            value_quadrants.quadrant, count(*) as customers,
            coalesce(sum(customer_metrics.monetary_12m), 0) as amount,
            count(*) filter (where value_quadrants.movement = 'up') as rose,
            count(*) filter (where value_quadrants.movement = 'down') as fell,
            count(*) filter (where value_quadrants.movement = 'same') as stayed,
            count(*) filter (where value_quadrants.movement is null) as arrived
        from value.value_quadrants
        left join value.customer_metrics
            on customer_metrics.customer_id = value_quadrants.customer_id
            and customer_metrics.as_of_date = value_quadrants.as_of_date
        where value_quadrants.as_of_date = $as_of
        group by value_quadrants.quadrant
    """)
    if not rows:
        return empty("quadrants", title, "No customer is in a quadrant yet", source, BUILD)
    places_held = reader.rows("""
        select
            quadrant, avg(current_points) as current_points,
            avg(potential_points) as potential_points, count(*) as customers
        from value.value_quadrants
        where
            as_of_date = $as_of and current_points is not null and potential_points is not null
        group by
            quadrant, least(floor(current_points / 5), 19), least(floor(potential_points / 5), 19)
        order by customers desc, quadrant, current_points, potential_points
    """)
    moves = reader.rows("""
        select
            quarter_ago, quadrant_a_quarter_ago as before, quadrant as after,
            count(*) as customers
        from value.value_quadrants
        where as_of_date = $as_of and quadrant_a_quarter_ago is not null
        group by quarter_ago, quadrant_a_quarter_ago, quadrant
    """)
    codes = {row["quadrant"] for row in rows} | {row["before"] for row in moves}
    labels = reader.names("value_quadrant", codes)
    ranked = sorted(rows, key=lambda row: list(labels).index(row["quadrant"]))
    share_out(ranked)
    named = [row | {"name": reader.name("value_quadrant", row["quadrant"])} for row in ranked]
    rose, fell = (sum(row[name] for row in rows) for name in ("rose", "fell"))
    most = max((row["customers"] for row in places_held), default=1)
    chart = Chart(
        "Where customers stand",
        "Circles: customers by points of current value across and of potential value up; the area "
        f"is their number, the largest holds {plural(most, 'customer', 'customers')}.",
        numbers("Current value, points", [100], whole),
        numbers("Potential value, points", [100], whole),
        [
            dots(
                labels[code],
                style,
                [
                    (
                        *(row["current_points"], row["potential_points"], row["customers"]),
                        f"{labels[code]}: {plural(row['customers'], 'customer', 'customers')}",
                    )
                    for row in places_held
                    if row["quadrant"] == code
                ],
                most,
            )
            for code, style in zip(labels, cycle(COLOURS), strict=False)
        ],
    )
    moved = heat(
        f"Quadrant on {moves[0]['quarter_ago']} (rows) and now (columns), customers"
        if moves
        else "",
        ("A quarter ago", labels),
        ("Now", labels),
        {(row["before"], row["after"]): row["customers"] for row in moves},
        lambda _, customers: (whole(customers), ""),
    )
    columns = [
        Column("Quadrant", "name", "name"),
        *shares("customers", "purchases"),
        Column("Came up", "rose", "whole"),
        Column("Came down", "fell", "whole"),
        Column("Stayed", "stayed", "whole", is_spare=True),
        Column("New", "arrived", "whole", is_spare=True),
    ]
    return Section(
        "quadrants",
        title,
        f"{plural(rose, 'customer', 'customers')} moved up since last quarter, {whole(fell)} down"
        if moves
        else f"{percent(named[0]['customers_share'])} of customers are {named[0]['name'].english}",
        "Current value against potential value by the scheme value_quadrant. Whose potential is not"
        " known stands in the middle, at 50. Who came up or down was in another quadrant a"
        f" quarter ago; purchases are those of 12 months, in {reader.currency}.",
        source,
        [
            Table(
                "Quadrants, and where their customers were a quarter ago",
                columns,
                named,
                is_wide=True,
            ),
            *([chart] if places_held else []),
            *([moved] if moves else []),
        ],
    )


def transitions(reader: Reader) -> Section:
    """Who moved between classes of value, month by month."""
    title, source = "Moves between classes", "value.class_transitions"
    rows = reader.rows("""
        select
            month, previous_as_of_date, as_of_date, from_class_code, to_class_code, customers,
            amount
        from value.class_transitions
        where scheme = 'value_score'
        order by month
    """)
    if not rows:
        return empty(
            "transitions",
            title,
            "No move between classes is known yet",
            source,
            "Moves need as-of dates of two months: build with more of them (KEHU_AS_OF_DATES).",
        )
    labels = reader.names(
        "value_score", {row[side] for row in rows for side in ("from_class_code", "to_class_code")}
    )
    newest = [row for row in rows if row["month"] == rows[-1]["month"]]
    before = {
        code: sum(r["customers"] for r in newest if r["from_class_code"] == code) for code in labels
    }
    ranks = {code: rank for rank, code in enumerate(labels)}
    known = [r for r in newest if "unclassed" not in (r["from_class_code"], r["to_class_code"])]
    rose, fell = (
        sum(
            row["customers"]
            for row in known
            if sign * (ranks[row["from_class_code"]] - ranks[row["to_class_code"]]) > 0
        )
        for sign in (1, -1)
    )
    matrix = heat(
        f"Class on {newest[0]['previous_as_of_date']} (rows) and on {newest[0]['as_of_date']}"
        " (columns): customers, and their share of the row",
        ("Before", labels),
        ("After", labels),
        {(row["from_class_code"], row["to_class_code"]): row["customers"] for row in newest},
        lambda place, customers: (whole(customers), percent(share(customers, before[place[0]]))),
    )
    months, held = at_month_ends(rows, "to_class_code", labels)
    chart = Chart(
        "Customers by class at the end of each month",
        f"Stacked bars from {month(months[0])} to {month(months[-1])}, the best class at the"
        " bottom.",
        places("Month", [month(day) for day in months]),
        numbers("Customers", [sum(each) for each in zip(*held.values(), strict=True)], whole),
        stacks(
            [
                (labels[code], style, counted)
                for (code, counted), style in zip(held.items(), cycle(COLOURS), strict=False)
            ],
            whole,
        ),
    )
    return Section(
        "transitions",
        title,
        f"{whole(rose)} customers rose to a better value class in the last month, {whole(fell)}"
        " fell",
        "Classes of the scheme value_score. Customers on the diagonal stayed; whoever had no class"
        " before is in the last row.",
        source,
        [
            matrix,
            chart,
            by_month("Customers by class and month", labels, months, held),
        ],
    )
