"""How sales come about: from lead to invoice, what is won, and what waits."""

from __future__ import annotations

from itertools import cycle

from report.charts import COLOURS, Chart, numbers, places, stacks
from report.parts import Column, Name, Row, Section, Table, empty
from report.published import Reader
from report.wording import percent, whole, words

_NO_SALES = (
    "The order system told of no lead, opportunity or quote in the year before: load the tables"
    " leads, opportunities and quotes of the source orders."
)


def funnel(reader: Reader) -> Section:
    """Sales of a year by the stage they reached, conversion, win rate and age of what is open."""
    title = "Sales funnel"
    source = "sales.funnel, sales.win_rates, sales.opportunity_ageing"
    rows = reader.rows("""
        select
            series, stage, stage_label_en, stage_label_zh, case_count, conversion_rate,
            reached_rate, days_from_previous_median, amount
        from sales.funnel
        where as_of_date = $as_of and series_kind = 'entry'
        order by min(stage_rank) over (partition by series), stage_rank
    """)
    if not rows:
        return empty("funnel", title, "No sale was begun in the year", source, _NO_SALES)
    won = reader.rows("""
        select closed_count, win_rate from sales.win_rates
        where as_of_date = $as_of and series_kind = 'all'
    """)
    finding = _of_the_longest(rows)
    if won:
        finding += f"; {percent(won[0]['win_rate'])} of closed opportunities were won"
    tables = (_stages(reader, rows), _lead_sources(reader), _waiting(reader))
    return Section(
        "funnel",
        title,
        finding,
        "Sales that entered in the 12 months before, once per stage they have reached; a young one"
        " may still go on. A sale enters with its first document: a lead, an opportunity of a known"
        " buyer, or a quote that answers none. Orders without a quote are not in it, though a lead"
        " may have become a buyer by one.",
        source,
        [_bars(rows), *(table for table in tables if table.rows)],
    )


def _of_the_longest(rows: list[Row]) -> str:
    """How far the sales came that entered first."""
    first = [row for row in rows if row["series"] == rows[0]["series"]]
    entry, ordered = first[0], next(row for row in first if row["stage"] == "order")
    return (
        f"{percent(ordered['reached_rate'])} of sales that entered as"
        f" {entry['stage_label_en'].lower()} were ordered"
        f" ({whole(ordered['case_count'])} of {whole(entry['case_count'])})"
    )


def _bars(rows: list[Row]) -> Chart:
    """Sales by stage, stacked by how they entered."""
    stages = {row["stage"]: row["stage_label_en"] for row in rows}
    held = {(row["series"], row["stage"]): row["case_count"] for row in rows}
    entries = list(dict.fromkeys(row["series"] for row in rows))
    series = [
        (f"entered as {stages[entry].lower()}", style, [held.get((entry, at)) for at in stages])
        for entry, style in zip(entries, cycle(COLOURS), strict=False)
    ]
    tops = [sum(held.get((entry, at), 0) for entry in entries) for at in stages]
    return Chart(
        "Sales by the stage they reached",
        "Stacked bars, one per stage, by how the sales entered: "
        + ", ".join(
            f"{label} {whole(top)}" for label, top in zip(stages.values(), tops, strict=True)
        )
        + ".",
        places("Stage", list(stages.values())),
        numbers("Sales that entered in the year", tops, whole),
        stacks(series, whole),
    )


def _stages(reader: Reader, rows: list[Row]) -> Table:
    labels = {row["stage"]: row["stage_label_en"] for row in rows}
    told = [
        row
        | {
            "entry": labels[row["series"]],
            "name": Name(row["stage_label_en"], row["stage_label_zh"] or ""),
        }
        for row in rows
    ]
    return Table(
        f"Stage by stage; amounts in {reader.currency}",
        [
            Column("Stage", "name", "name"),
            Column("Entered as", "entry"),
            Column("Sales", "case_count", "whole"),
            Column("Of those that entered", "reached_rate", "sharebar"),
            Column("Of the stage before", "conversion_rate", "share"),
            Column("Days from it, median", "days_from_previous_median", "figure", is_spare=True),
            Column("Amount", "amount", "compact", is_spare=True),
        ],
        told,
        is_wide=True,
    )


def _lead_sources(reader: Reader) -> Table:
    rows = reader.rows("""
        with reached as (
            select
                series, sum(case_count) filter (where stage = 'lead') as leads,
                sum(reached_rate) filter (where stage = 'opportunity') as opportunities,
                sum(reached_rate) filter (where stage = 'order') as orders
            from sales.funnel
            where as_of_date = $as_of and series_kind = 'lead_source'
            group by series
        ),

        won as (
            select series, win_rate from sales.win_rates
            where as_of_date = $as_of and series_kind = 'lead_source'
        )
        select reached.*, won.win_rate
        from reached
        left join won on won.series = reached.series
        order by reached.leads desc, reached.series
    """)
    return Table(
        "Where leads come from, and what comes of them",
        [
            Column("Source", "series"),
            Column("Leads", "leads", "whole"),
            Column("Became an opportunity", "opportunities", "sharebar"),
            Column("Ordered", "orders", "sharebar second"),
            Column("Closed ones won", "win_rate", "share", is_spare=True),
        ],
        [row | {"series": words(row["series"]).capitalize()} for row in rows],
    )


def _waiting(reader: Reader) -> Table:
    rows = reader.rows("""
        select
            bucket, sum(open_count) as open_count, sum(expected_amount) as expected_amount,
            sum(open_count) filter (where stage = 'quote') as quoted
        from sales.opportunity_ageing
        where as_of_date = $as_of
        group by bucket, bucket_rank
        order by bucket_rank
    """)
    return Table(
        f"Open opportunities by days since they were opened; hoped for in {reader.currency}",
        [
            Column("Days", "bucket"),
            Column("Open", "open_count", "whole"),
            Column("", "open_count", "bar"),
            Column("Quoted", "quoted", "whole", is_spare=True),
            Column("Hoped for", "expected_amount", "money"),
        ],
        [row | {"quoted": row["quoted"] or 0} for row in rows],
    )
