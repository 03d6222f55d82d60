"""What is open and overdue, how old it is, and where it goes."""

from __future__ import annotations

from typing import Any

from report.charts import Chart, line, numbers, places, stacks
from report.parts import BUILD, Column, Row, Section, Table, empty, heat
from report.published import Reader
from report.wording import compact, figure, money, month, percent, plural, share

BUCKET_COLOURS = ("d1", "d2", "d3", "d4", "d5", "d6")
"""Of overdue buckets, youngest first; a seventh and later share the last."""

MOST_REGIONS = 12


def collection(reader: Reader) -> Section:
    """Share of what is open that is overdue, and days sales outstanding, at each as-of date."""
    title, source = "Overdue share and DSO", "credit.payment_behaviour"
    rows = reader.rows("""
        select
            as_of_date, sum(billed_amount) as billed_amount, sum(open_amount) as open_amount,
            sum(overdue_amount) as overdue_amount,
            sum(overdue_amount) / nullif(sum(open_amount), 0) as overdue_share,
            365 * sum(open_amount) / nullif(sum(billed_amount), 0) as dso_days,
            365 * (sum(open_amount) - sum(overdue_amount)) / nullif(sum(billed_amount), 0)
                as best_days
        from credit.payment_behaviour
        group by as_of_date
        order by as_of_date
    """)
    if not rows:
        return empty("collection", title, "No customer has a debt", source, BUILD)
    last = rows[-1]
    across = places("As of", [month(row["as_of_date"]) for row in rows])

    def curve(name: str, style: str, key: str, *, dashed: bool = False) -> Any:
        return line(name, style, [(at, row[key]) for at, row in enumerate(rows)], dashed=dashed)

    overdue_share, days = last["overdue_share"] or 0, last["dso_days"]
    return Section(
        "collection",
        title,
        f"{percent(overdue_share)} of what is open is overdue"
        + (f"; days sales outstanding: {figure(days)}" if days is not None else ""),
        "Overdue share: overdue divided by open. DSO: open divided by billed in the 12 months"
        " before, times 365; the best possible DSO counts only what is not yet due, so the gap"
        f" between the lines is what late payers cost. Amounts in {reader.currency}.",
        source,
        [
            Chart(
                "Overdue share",
                f"Line at {plural(len(rows), 'as-of date', 'as-of dates')}, the last at"
                f" {percent(overdue_share)}.",
                across,
                numbers("Overdue, share of open", [row["overdue_share"] for row in rows], percent),
                [curve("overdue share", "d4", "overdue_share")],
            ),
            Chart(
                "Days sales outstanding",
                f"Two lines at {plural(len(rows), 'as-of date', 'as-of dates')}: DSO, the last at"
                f" {figure(days)} days, and under it the best possible DSO, at"
                f" {figure(last['best_days'])}.",
                across,
                numbers("Days", [row["dso_days"] for row in rows], figure),
                [
                    curve("DSO", "accent", "dso_days"),
                    curve("best possible DSO", "accent", "best_days", dashed=True),
                ],
            ),
            Table(
                "The figures by as-of date, newest first",
                [
                    Column("As of", "as_of_date"),
                    Column("Billed, 12 months", "billed_amount", "money", is_spare=True),
                    Column("Open", "open_amount", "money"),
                    Column("Overdue", "overdue_amount", "money"),
                    Column("Overdue share", "overdue_share", "share"),
                    Column("DSO, days", "dso_days", "figure"),
                    Column("Best possible, days", "best_days", "figure"),
                ],
                rows[::-1],
                is_folded=True,
                is_wide=True,
            ),
        ],
    )


def ageing(reader: Reader) -> Section:
    """Overdue debts by days past due, by grade, region and as-of date; not due apart."""
    title = "Ageing"
    source = "credit.receivables_ageing, credit.credit_grades, customer.dim_customers"
    cells = reader.rows("""
        select
            coalesce(credit_grades.grade, 'none') as grade,
            coalesce(dim_customers.region, 'unknown') as region, receivables_ageing.bucket,
            receivables_ageing.bucket_rank, sum(receivables_ageing.open_amount_reporting) as amount
        from credit.receivables_ageing
        inner join customer.dim_customers
            on dim_customers.customer_id = receivables_ageing.customer_id
        left join credit.credit_grades
            on credit_grades.customer_id = receivables_ageing.customer_id
            and credit_grades.as_of_date = receivables_ageing.as_of_date
            and credit_grades.scheme = 'power_credit'
        where receivables_ageing.as_of_date = $as_of
        group by 1, 2, 3, 4
        having sum(receivables_ageing.open_amount_reporting) <> 0
    """)
    history = reader.rows("""
        select as_of_date, bucket, bucket_rank, sum(open_amount_reporting) as amount
        from credit.receivables_ageing
        group by as_of_date, bucket, bucket_rank
        order by as_of_date
    """)
    if not cells:
        return empty("ageing", title, "Nothing is open", source, BUILD)
    ranks = sorted({(row["bucket_rank"], row["bucket"]) for row in (*cells, *history)})
    # the first bucket is what is not due
    late = {
        bucket: BUCKET_COLOURS[min(at, 5)]
        for at, (_, bucket) in enumerate(r for r in ranks if r[0] > 1)
    }
    by_grade = _aged(cells, "grade", late)
    by_region = sorted(_aged(cells, "region", late), key=lambda row: -row["overdue"])
    rest = by_region[MOST_REGIONS:]
    if rest:
        by_region[MOST_REGIONS:] = [
            _together(rest, plural(len(rest), "other region", "other regions"))
        ]
    total_late = sum(row["overdue"] for row in by_grade)
    total = total_late + sum(row["not_due"] for row in by_grade)
    oldest = list(late)[-1] if late else ""
    old = sum(row["amount"] for row in cells if row["bucket"] == oldest)
    legend = [("not due", "nd"), *((f"{bucket} days", style) for bucket, style in late.items())]
    days = sorted({row["as_of_date"] for row in history})
    by_day = _aged(history, "as_of_date", late)
    chart = Chart(
        "Overdue at each as-of date",
        "Stacked bars of overdue debts by days past due, the youngest at the bottom; not due debts"
        " are left out.",
        places("As of", [month(day) for day in days]),
        numbers(f"Overdue, {reader.currency}", [row["overdue"] for row in by_day], compact),
        stacks(
            [
                (f"{bucket} days", style, [row["late"].get(bucket, 0) for row in by_day])
                for bucket, style in late.items()
            ],
            money,
        ),
        is_wide=True,
    )
    figures = [
        {"day": row["as_of_date"], "not_due": row["not_due"], "overdue": row["overdue"]}
        | row["late"]
        for row in reversed(by_day)
    ]

    def table(caption: str, first: Column, rows: list[Row], **more: Any) -> Table:
        columns = [
            first,
            Column("", "not_due", "bar nd", is_spare=True),
            Column("Not due", "not_due", "compact"),
            Column("", "late", "stack"),
            Column("Overdue", "overdue", "compact"),
            Column("Share overdue", "overdue_share", "share", is_spare=True),
        ]
        return Table(caption, columns, rows, **more)

    return Section(
        "ageing",
        title,
        f"{compact(total_late)} {reader.currency} is overdue, {percent(share(total_late, total))}"
        f" of what is open; {percent(share(old, total_late)) if old else 'none'} of it {oldest}"
        " days"
        if total_late
        else f"Nothing is overdue; {compact(total)} {reader.currency} is not due yet",
        f"Open debts in {reader.currency}. Not due stands apart on the left; on the right overdue"
        " debts by days past due. The two have scales of their own. A debt that is due on the"
        " as-of date is not overdue.",
        source,
        [
            table("By credit grade", Column("Grade", "grade", "grade"), by_grade, legend=legend),
            table("By region", Column("Region", "region"), by_region),
            *([chart] if late else []),
            Table(
                "The figures by as-of date, newest first",
                [
                    Column("As of", "day"),
                    Column("Not due", "not_due", "money"),
                    *(Column(f"{bucket} days", bucket, "money") for bucket in late),
                    Column("Overdue", "overdue", "money"),
                ],
                [dict.fromkeys(late, 0) | row for row in figures],
                is_folded=True,
                is_wide=True,
            ),
        ],
    )


def rolls(reader: Reader) -> Section:
    """Where the money of each bucket stood a month later, over the last months together."""
    title, source = "Roll rates", "credit.roll_rates"
    rows = reader.rows("""
        select
            from_bucket, from_rank, to_bucket, sum(amount) as amount, sum(debts) as debts,
            min(month) as first_month, max(month) as last_month
        from credit.roll_rates
        where month > (select max(month) from credit.roll_rates) - interval 12 months
        group by from_bucket, from_rank, to_bucket
        order by from_rank
    """)
    if not rows:
        return empty(
            "rolls",
            title,
            "No debt has been followed for a month yet",
            source,
            "Roll rates need as-of dates of two months: build with more of them"
            " (KEHU_AS_OF_DATES).",
        )
    buckets = list(dict.fromkeys(row["from_bucket"] for row in rows))
    ends = [
        "settled",
        *buckets,
        *sorted({row["to_bucket"] for row in rows} - {"settled", *buckets}),
    ]
    held = {
        bucket: sum(r["amount"] for r in rows if r["from_bucket"] == bucket) for bucket in buckets
    }
    rates = {
        (row["from_bucket"], row["to_bucket"]): share(row["amount"], held[row["from_bucket"]])
        for row in rows
    }
    amounts = {(row["from_bucket"], row["to_bucket"]): row["amount"] for row in rows}
    first_late = buckets[1] if len(buckets) > 1 else buckets[0]
    return Section(
        "rolls",
        title,
        f"{percent(rates.get((first_late, 'settled'), 0))} of what is {first_late} days late is"
        " settled within a month",
        "Of the money that stood in a bucket (rows), the share that stood in each bucket a month"
        f" later (columns), {month(rows[0]['first_month'])} to {month(rows[0]['last_month'])}"
        f" together; small: the amount in {reader.currency}. Rows sum to 100%.",
        source,
        [
            heat(
                "Roll rates between ageing buckets, days past due",
                ("From", {bucket: bucket for bucket in buckets}),
                ("A month later", {end: end for end in ends}),
                rates,
                lambda place, rate: (percent(rate), compact(amounts[place])),
                most=1,
                is_wide=True,
            )
        ],
    )


def _aged(cells: list[Row], key: str, late: dict[str, str]) -> list[Row]:
    """Per value of `key`: not due, overdue, and the overdue buckets."""
    by_value: dict[Any, dict[str, Any]] = {}
    for row in cells:
        held = by_value.setdefault(row[key], {})
        held[row["bucket"]] = held.get(row["bucket"], 0) + row["amount"]
    rows = []
    for value, held in sorted(by_value.items(), key=lambda each: (each[0] == "none", each[0])):
        overdue_amount = sum(held.get(bucket, 0) for bucket in late)
        not_due = sum(held.values()) - overdue_amount
        rows.append(
            _with_share(
                {
                    key: value,
                    "not_due": not_due,
                    "overdue": overdue_amount,
                    "late": {bucket: held[bucket] for bucket in late if bucket in held},
                    "styles": late,
                }
            )
        )
    return rows


def _together(rows: list[Row], name: str) -> Row:
    """Several regions as one row."""
    late: dict[str, Any] = {}
    for row in rows:
        for bucket, amount in row["late"].items():
            late[bucket] = late.get(bucket, 0) + amount
    sums = {key: sum(row[key] for row in rows) for key in ("not_due", "overdue")}
    return _with_share(sums | {"region": name, "late": late, "styles": rows[0]["styles"]})


def _with_share(row: Row) -> Row:
    return row | {"overdue_share": share(row["overdue"], row["overdue"] + row["not_due"])}
