"""Grades of customers, how they change, and warnings of arrears."""

from __future__ import annotations

from typing import Any

from report.charts import Chart, numbers, places, stacks
from report.parts import BUILD, Column, Section, Table, at_month_ends, by_month, empty, heat
from report.published import Reader
from report.wording import compact, month, percent, plural, share, whole


def grades(reader: Reader) -> Section:
    """How many customers hold each grade, and who changed it."""
    title, source = "Grades and migration", "credit.credit_grades, credit.grade_transitions"
    rows = reader.rows("""
        select grade, count(*) as customers, avg(score) as score
        from credit.credit_grades
        where as_of_date = $as_of and scheme = 'power_credit' and grade is not null
        group by grade
        order by grade
    """)
    if not rows:
        return empty("grades", title, "No customer has a credit grade yet", source, BUILD)
    moves = reader.rows("""
        select
            month, previous_as_of_date, as_of_date, from_grade, to_grade, customers, open_amount
        from credit.grade_transitions
        where scheme = 'power_credit'
        order by month
    """)
    graded = sum(row["customers"] for row in rows)
    for row in rows:
        row["name"] = reader.name("power_credit", row["grade"])
        row["customers_share"] = share(row["customers"], graded)
    parts: list[Any] = [
        Table(
            "Customers by credit grade",
            [
                Column("Grade", "grade", "grade"),
                Column("Customers", "customers", "whole"),
                Column("Share", "customers_share", "sharebar graded"),
                Column("Mean score", "score", "figure", is_spare=True),
            ],
            rows,
        )
    ]
    finding = f"{percent(rows[0]['customers_share'])} of graded customers hold {rows[0]['grade']}"
    if moves:
        newest = [row for row in moves if row["month"] == moves[-1]["month"]]
        codes = sorted(
            {row[side] for row in moves for side in ("from_grade", "to_grade")},
            key=lambda code: (code == "unclassed", code),
        )
        labels = {code: "No grade" if code == "unclassed" else code for code in codes}
        known = [row for row in newest if "unclassed" not in (row["from_grade"], row["to_grade"])]
        rose = sum(row["customers"] for row in known if row["to_grade"] < row["from_grade"])
        fell = sum(row["customers"] for row in known if row["to_grade"] > row["from_grade"])
        finding += f"; in the last month {whole(rose)} rose and {whole(fell)} fell"
        owed = {(row["from_grade"], row["to_grade"]): row["open_amount"] for row in newest}
        months, held = at_month_ends(moves, "to_grade", codes)
        parts += [
            heat(
                f"Grade on {newest[0]['previous_as_of_date']} (rows) and on"
                f" {newest[0]['as_of_date']} (columns): customers, and what they owe in"
                f" {reader.currency}",
                ("Before", labels),
                ("After", labels),
                {(row["from_grade"], row["to_grade"]): row["customers"] for row in newest},
                lambda place, customers: (whole(customers), compact(owed[place])),
            ),
            Chart(
                "Customers by grade at the end of each month",
                f"Stacked bars from {month(months[0])} to {month(months[-1])}, the best grade at"
                " the bottom.",
                places("Month", [month(day) for day in months]),
                numbers("Customers", [sum(at) for at in zip(*held.values(), strict=True)], whole),
                stacks([(code, f"g{code}", counted) for code, counted in held.items()], whole),
                is_wide=True,
            ),
            by_month("Customers by grade and month", labels, months, held),
        ]
    return Section(
        "grades",
        title,
        finding,
        "Credit grades from payment behaviour (scheme power_credit), A best; the score runs from"
        " 0 to 100. Customers on the diagonal of the matrix kept their grade.",
        source,
        parts,
    )


def warnings(reader: Reader) -> Section:
    """Warnings of arrears that last, by level and by how long ago they were raised."""
    title, source = "Warnings", "credit.arrears_warnings"
    rows = reader.rows("""
        select
            level, level_rank, count(*) as warnings, sum(overdue_amount) as amount,
            case
                when raised_date > cast($as_of as date) - interval 1 month then 1
                when raised_date > cast($as_of as date) - interval 3 months then 2
                when raised_date > cast($as_of as date) - interval 6 months then 3
                else 4
            end as age
        from credit.arrears_warnings
        where closed_date is null
        group by level, level_rank, age
        order by level_rank desc, age
    """)
    closed = reader.rows("""
        select
            closing_cause, count(*) as warnings, sum(overdue_amount) as amount,
            avg(closed_date - raised_date) as days
        from credit.arrears_warnings
        where closed_date > cast($as_of as date) - interval 3 months
        group by closing_cause
        order by warnings desc, closing_cause
    """)
    if not rows and not closed:
        return empty(
            "warnings",
            title,
            "No warning of arrears is open",
            source,
            "Nobody's arrears have reached a level of the scheme arrears_risk; there is nothing"
            " to do.",
        )
    ages = {1: "Up to 1 month", 2: "1 to 3 months", 3: "3 to 6 months", 4: "Over 6 months"}
    levels = {r["level"]: reader.name("arrears_risk", r["level"]).english for r in rows}
    amounts = {(row["level"], row["age"]): row["amount"] for row in rows}
    number, owed = sum(row["warnings"] for row in rows), sum(row["amount"] for row in rows)
    parts: list[Any] = []
    if rows:
        parts.append(
            heat(
                f"Open warnings by level and age, with the amount overdue in {reader.currency}",
                ("Level", levels),
                ("Raised", ages),
                {(row["level"], row["age"]): row["warnings"] for row in rows},
                lambda place, count: (whole(count), compact(amounts[place])),
            )
        )
    if closed:
        parts.append(
            Table(
                "Closed in the last 3 months, by cause",
                [
                    Column("Cause", "closing_cause"),
                    Column("Warnings", "warnings", "whole"),
                    Column("", "warnings", "bar"),
                    Column("Days open, mean", "days", "whole"),
                    Column("Was overdue", "amount", "compact", is_spare=True),
                ],
                closed,
            )
        )
    return Section(
        "warnings",
        title,
        f"{plural(number, 'warning is', 'warnings are')} open, on {compact(owed)} {reader.currency}"
        " overdue",
        "Levels of the scheme arrears_risk, the most severe on top. A warning is raised once,"
        " kept while it lasts and closed with its cause; its age counts from the first as-of date"
        " that saw it.",
        source,
        parts,
    )
