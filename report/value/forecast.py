"""What is expected of sales, and how good all models are."""

from __future__ import annotations

from datetime import date
from typing import Any

from report.charts import Chart, Mark, line, numbers, places
from report.parts import BUILD, NOT_BETTER, Column, Row, Section, Table, empty
from report.published import Reader
from report.wording import compact, month, percent, plural, words


def forecast(reader: Reader) -> Section:
    """Sales of past months, what is expected, and the band around it.

    Of all sales together, or, when only parts are forecast well enough, of the largest part.
    """
    title, source = "Sales forecast", "sales.forecast, sales.monthly_sales, sales.forecast_backtest"
    series = reader.rows("""
        with expected as (
            select series_kind, series, sum(forecast_amount) as forecast_amount
            from sales.forecast
            where as_of_date = $as_of
            group by series_kind, series
        ),

        sold as (
            select series_kind, series, sum(amount) as amount
            from sales.monthly_sales
            where as_of_date = $as_of
            group by series_kind, series
        )
        select
            tested.series_kind, tested.series, tested.forecast_error, tested.naive_error,
            expected.forecast_amount
        from sales.forecast_backtest as tested
        left join expected
            on expected.series_kind = tested.series_kind and expected.series = tested.series
        left join sold on sold.series_kind = tested.series_kind and sold.series = tested.series
        where tested.as_of_date = $as_of
        order by tested.series_kind <> 'all', sold.amount desc nulls last, tested.series
    """)
    if not series:
        return empty("forecast", title, "No forecast is published", source, NOT_BETTER)
    errors = Table(
        "Series, and the mean error of a month in the back-test",
        [
            Column("Series", "series"),
            Column("Error of the forecast", "forecast_error", "money"),
            Column("Of the naive forecast", "naive_error", "money"),
            Column("Expected in all", "forecast_amount", "money"),
        ],
        [row | {"series": words(row["series"]).capitalize()} for row in series],
        is_wide=True,
        is_folded=any(row["forecast_amount"] is not None for row in series),
    )
    shown = next((row for row in series if row["forecast_amount"] is not None), None)
    if shown is None:
        finding = "No series is forecast better than by the naive forecast"
        return Section("forecast", title, finding, NOT_BETTER, source, [errors])
    which = {"kind": shown["series_kind"], "series": shown["series"]}
    sold = reader.rows(
        """
        select month, amount
        from sales.monthly_sales
        where as_of_date = $as_of and series_kind = $kind and series = $series
        order by month desc
        limit 24
        """,
        **which,
    )[::-1]
    expected = reader.rows(
        """
        select month, forecast_amount, lower_amount, upper_amount, band_share, naive_amount
        from sales.forecast
        where as_of_date = $as_of and series_kind = $kind and series = $series
        order by month
        """,
        **which,
    )
    is_all = shown["series_kind"] == "all"
    name = "All sales" if is_all else words(shown["series"]).capitalize()
    first: date = (sold or expected)[0]["month"]
    end: date = expected[-1]["month"]
    of_months = f"{percent(expected[0]['band_share'])} of months"

    def at(row: Row) -> int:
        """Place of a month; one without sales leaves its place empty."""
        day: date = row["month"]
        return 12 * (day.year - first.year) + day.month - first.month

    months = [
        date(first.year + n // 12, n % 12 + 1, 1)
        for n in range(first.month - 1, first.month + at(expected[-1]))
    ]
    # the forecast begins where the sales end
    last = [(at(sold[-1]), sold[-1]["amount"])] if sold else []
    band = [(at(row), row["lower_amount"], row["upper_amount"]) for row in expected]

    def ahead(key: str) -> list[tuple[int, Any]]:
        return [*last, *((at(row), row[key]) for row in expected)]

    drawn = [row["amount"] for row in sold]
    drawn += [
        row[key] for row in expected for key in ("lower_amount", "upper_amount", "naive_amount")
    ]
    chart = Chart(
        f"{name}: monthly sales and forecast",
        f"Line of sales from {month(first)}, then the forecast to {month(end)} with its"
        f" band: {compact(shown['forecast_amount'])} {reader.currency} expected in all.",
        places("Month", [month(day) for day in months], most=16),
        numbers(f"Sales in the month, {reader.currency}", drawn, compact),
        [
            Mark("band", of_months, "accent", [*((place, up, up) for place, up in last), *band]),
            line("naive forecast", "second", ahead("naive_amount"), dashed=True),
            line("sold", "accent", [(at(row), row["amount"]) for row in sold]),
            line("forecast", "accent", ahead("forecast_amount"), dashed=True),
        ],
        is_wide=True,
    )
    columns = [
        Column("Month", "month", "month"),
        Column("Sold", "amount", "money"),
        Column("Forecast", "forecast_amount", "money"),
        Column("From", "lower_amount", "money"),
        Column("To", "upper_amount", "money"),
        Column("Naive", "naive_amount", "money", is_spare=True),
    ]
    blank: Row = dict.fromkeys(column.key for column in columns)
    return Section(
        "forecast",
        title,
        f"{name}: {compact(shown['forecast_amount'])} {reader.currency} expected in the next "
        f"{plural(len(expected), 'month', 'months')}",
        f"{of_months} should fall into the band, by the errors of the back-test. The naive"
        " forecast is last month again, or the same month of last year, whichever erred less."
        + (
            ""
            if is_all
            else " All sales together are not forecast better than that; the largest part is."
        ),
        source,
        [
            chart,
            Table(
                "The figures by month, newest first",
                columns,
                [blank | row for row in (*reversed(expected), *reversed(sold))],
                is_folded=True,
                is_wide=True,
            ),
            errors,
        ],
    )


def quality(reader: Reader) -> Section:
    """How good each model is beside the simple way that it must beat."""
    title, source = "Model quality", "value.model_quality"
    rows = reader.rows("""
        select
            model, metric, avg(value) as value, avg(baseline_value) as baseline_value,
            min(baseline) as baseline, bool_or(is_deciding) as is_deciding,
            bool_and(is_published) as is_published, min(note) as note
        from value.model_quality
        where as_of_date = $as_of
        group by model, metric
        order by model, is_deciding desc, metric
    """)
    if not rows:
        return empty("quality", title, "No model has been judged yet", source, BUILD)
    told = [
        row
        | {
            "model": words(row["model"]),
            "metric": words(row["metric"]) + (" (decides)" if row["is_deciding"] else ""),
        }
        for row in rows
    ]
    models = {row["model"] for row in rows}
    published = {row["model"] for row in rows if row["is_published"]}
    return Section(
        "quality",
        title,
        f"{len(published)} of {len(models)} models beat their baseline and are published",
        "On data that the model has not seen, mean of the trials. A model that does not beat the"
        " simple way beside it is not published: its table stays empty.",
        source,
        [
            Table(
                "Models and their baselines",
                [
                    Column("Model", "model"),
                    Column("Metric", "metric"),
                    Column("Model's", "value", "figure"),
                    Column("Baseline's", "baseline_value", "figure"),
                    Column("The simple way", "baseline", is_spare=True),
                    Column("Outcome", "note"),
                ],
                told,
                is_wide=True,
            )
        ],
    )
