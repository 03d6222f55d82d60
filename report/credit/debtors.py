"""Who owes most, and what may be lost with whom."""

from __future__ import annotations

from collections.abc import Callable

from report.parts import Column, Row, Section, Table, empty, person
from report.published import LONGEST_LIST, PERSON, Reader
from report.wording import compact, percent, plural, share

MOST_ROWS = 12


def overdue(reader: Reader) -> Section:
    """The customers with the largest overdue amounts."""
    title = "Largest overdue"
    source = (
        "credit.receivables_ageing, credit.credit_grades, value.customer_metrics,"
        " customer.dim_customers"
    )
    rows = reader.rows(f"""
        with owed as (
            select
                customer_id,
                sum(open_amount_reporting) filter (where bucket_rank > 1) as overdue_amount,
                sum(open_amount_reporting) as open_amount,
                sum(open_count) filter (where bucket_rank > 1) as overdue_count
            from credit.receivables_ageing
            where as_of_date = $as_of
            group by customer_id
        )
        select
            {PERSON}, owed.overdue_amount, owed.open_amount, owed.overdue_count,
            sum(owed.overdue_amount) over () as all_overdue, credit_grades.grade,
            customer_metrics.overdue_days_max, customer_metrics.monetary_12m
        from owed
        inner join customer.dim_customers on dim_customers.customer_id = owed.customer_id
        left join credit.credit_grades
            on credit_grades.customer_id = owed.customer_id
            and credit_grades.as_of_date = $as_of and credit_grades.scheme = 'power_credit'
        left join value.customer_metrics
            on customer_metrics.customer_id = owed.customer_id
            and customer_metrics.as_of_date = $as_of
        where owed.overdue_amount > 0
        order by owed.overdue_amount desc, owed.customer_id
        limit {LONGEST_LIST}
    """)
    if not rows:
        return empty(
            "overdue",
            title,
            "No customer is overdue",
            source,
            "credit.receivables_ageing holds no overdue debt for the newest as-of date; if that"
            " surprises you, look whether the bills were loaded.",
        )
    listed = sum(row["overdue_amount"] for row in rows)
    columns = [
        *person(),
        Column("Grade", "grade", "grade"),
        Column("Overdue", "overdue_amount", "money"),
        Column("", "overdue_amount", "bar", is_spare=True),
        Column("Debts", "overdue_count", "whole", is_spare=True),
        Column("Longest, days", "overdue_days_max", "whole"),
        Column("Open in all", "open_amount", "money", is_spare=True),
        Column("Purchases, 12 months", "monetary_12m", "money", is_spare=True),
    ]
    return Section(
        "overdue",
        title,
        f"{plural(len(rows), 'customer owes', 'customers owe')} "
        f"{percent(share(listed, rows[0]['all_overdue']))} of everything overdue",
        f"By overdue amount, in {reader.currency}. Names are masked. What to do with a customer"
        " is a person's decision; this list only says where to look first.",
        source,
        [Table("Largest overdue amounts", columns, rows, is_numbered=True, is_wide=True)],
    )


def losses(reader: Reader) -> Section:
    """Expected loss by segment, grade, region and kind of customer."""
    title = "Expected loss"
    source = "credit.expected_loss, credit.credit_grades, value.rfm"
    cells = reader.rows("""
        select
            coalesce(rfm.segment, 'none') as segment,
            coalesce(credit_grades.grade, 'none') as grade,
            coalesce(expected_loss.region, 'unknown') as region, expected_loss.customer_type,
            sum(expected_loss.exposure_at_default) as exposure,
            sum(expected_loss.exposure_at_default * expected_loss.probability_of_default)
                as defaulting,
            sum(expected_loss.expected_loss) as loss
        from credit.expected_loss
        left join value.rfm
            on rfm.customer_id = expected_loss.customer_id
            and rfm.as_of_date = expected_loss.as_of_date
        left join credit.credit_grades
            on credit_grades.customer_id = expected_loss.customer_id
            and credit_grades.as_of_date = expected_loss.as_of_date
            and credit_grades.scheme = 'power_credit'
        where expected_loss.as_of_date = $as_of
        group by 1, 2, 3, 4
    """)
    if not cells:
        return empty(
            "losses",
            title,
            "No expected loss is told",
            source,
            "Nothing is open, or no roll rate is known yet: that needs as-of dates of two months"
            " (KEHU_AS_OF_DATES).",
        )
    exposure, loss = (sum(row[name] for row in cells) for name in ("exposure", "loss"))

    def by(key: str, title: str, write: Callable[[str], str]) -> Table:
        summed: dict[str, Row] = {}
        for cell in cells:
            row = summed.setdefault(cell[key], {"name": write(cell[key])})
            for name in ("exposure", "defaulting", "loss"):
                row[name] = row.get(name, 0) + cell[name]
        rows = list(summed.values())
        for row in rows:
            row["probability"] = share(row["defaulting"], row["exposure"])
            row["rate"] = share(row["loss"], row["exposure"])
        rows.sort(key=lambda row: (-row["loss"], row["name"]))
        return Table(
            f"By {title}" + (f", the first {MOST_ROWS}" if len(rows) > MOST_ROWS else ""),
            [
                Column(f"{title[0].upper()}{title[1:]}", "name"),
                Column("Exposure", "exposure", "compact"),
                Column("Default", "probability", "share", is_spare=True),
                Column("Expected loss", "loss", "compact"),
                Column("", "loss", "bar second"),
                Column("Of exposure", "rate", "share"),
            ],
            rows[:MOST_ROWS],
        )

    return Section(
        "losses",
        title,
        f"{compact(loss)} {reader.currency} of {compact(exposure)} open may be lost",
        "Expected loss is the probability of default times the share lost then times what is open,"
        " summed over customers; the probability comes from the roll rates. Amounts in"
        f" {reader.currency}.",
        source,
        [
            by("segment", "RFM segment", lambda code: reader.name("rfm", code).english),
            by("grade", "credit grade", lambda code: "No grade" if code == "none" else code),
            by("region", "region", lambda code: code.capitalize()),
            by("customer_type", "kind of customer", lambda code: code.capitalize()),
        ],
    )
