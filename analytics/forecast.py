"""Sales of the next months with a band, beside the naive forecast; and safety stock.

In: amounts per series and month, quantities per product and month. Out: forecasts of the series
that beat the naive forecast in a back-test, the back-test, safety stock. Touches nothing.

The forecast is a mean of exponential smoothing (AutoETS), Theta and the naive forecast: such means
beat their parts (Makridakis, Spiliotis and Assimakopoulos 2020, The M4 competition).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from analytics.arrow import numbers_by_name, schema_of, table_of
from analytics.maximum_likelihood import Floats
from analytics.quality import Figure, Quality, data_version
from analytics.safety_stock import matrix_of, safety_stock

MODEL = "sales_forecast"
SEASON = 12
STEPS = 3
"""Months ahead that the back-test looks."""

CUTS = 4
"""Times that the back-test stands in the past."""

SHORTEST = 12 + CUTS + STEPS - 1
"""Months of a series; with fewer there is nothing to learn and judge from."""

FORECASTS = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("series_kind", pa.string()),
        ("series", pa.string()),
        ("month", pa.date32()),
        ("forecast_amount", pa.float64()),
        ("lower_amount", pa.float64()),
        ("upper_amount", pa.float64()),
        ("band_share", pa.float64()),
        ("naive_amount", pa.float64()),
    ]
)
BACKTEST = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("series_kind", pa.string()),
        ("series", pa.string()),
        ("months", pa.int64()),
        ("forecast_error", pa.float64()),
        ("naive_error", pa.float64()),
        ("is_published", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Series:
    """Amounts of consecutive months; `first` is the month of the first, in months since year 0."""

    kind: str
    name: str
    first: int
    amounts: Floats

    def month(self, ahead: int) -> date:
        """First day of a month after the last one; 0 is the last one itself."""
        number = self.first + len(self.amounts) - 1 + ahead
        return date(number // 12, number % 12 + 1, 1)


def month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def naive(known: Floats, ahead: int) -> Floats:
    """The last month again, or last year's months again: whichever erred less so far."""
    last = np.repeat(known[-1], ahead)
    if len(known) <= SEASON + STEPS:
        return last
    by_last = np.mean(np.abs(known[SEASON:] - known[SEASON - STEPS : -STEPS]))
    by_season = np.mean(np.abs(known[SEASON:] - known[:-SEASON]))
    if by_last <= by_season:
        return last
    return np.array([known[len(known) - SEASON + step % SEASON] for step in range(ahead)])


def forecast(known: Floats, ahead: int) -> Floats:
    """Amounts of the next months, never below zero.

    Each way weighs by how near it came to the last months from those before them.
    """
    came = known[-STEPS:]
    errors = np.abs(_ways(known[:-STEPS], STEPS) - came).mean(axis=1)
    weights = 1 / (errors + 0.05 * np.abs(np.diff(known)).mean() + 1e-9)
    found: Floats = np.maximum(weights @ _ways(known, ahead) / weights.sum(), 0)
    return found


def _ways(known: Floats, ahead: int) -> Floats:
    """Ways x months: naive, exponential smoothing, Theta; a way that fails is the naive one."""
    from statsforecast.models import AutoETS, AutoTheta

    season = SEASON if len(known) >= 2 * SEASON else 1
    plain = naive(known, ahead)
    told = [plain]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of candidates that AutoETS then does not choose
        for model in (AutoETS(season_length=season), AutoTheta(season_length=season)):
            mean = model.forecast(y=known, h=ahead)["mean"] if known.std() > 0 else plain
            told.append(mean if np.isfinite(mean).all() else plain)
    return np.array(told)


@dataclass(frozen=True)
class Judged:
    """Errors of the back-test: cuts x steps, forecast and naive; and the size of a usual change."""

    errors: Floats
    naive_errors: Floats
    scale: float

    @property
    def error(self) -> float:
        return float(np.abs(self.errors).mean())

    @property
    def naive_error(self) -> float:
        return float(np.abs(self.naive_errors).mean())

    def spread(self, ahead: int) -> Floats:
        """Root mean square error by months ahead; never smaller for a later month."""
        by_step = np.sqrt((self.errors**2).mean(axis=0))
        grown = np.maximum.accumulate(by_step)
        rest = grown[-1] * np.sqrt(np.arange(STEPS + 1, max(ahead, STEPS) + 1) / STEPS)
        return np.append(grown, rest)[:ahead]


def back_test(series: Series) -> Judged:
    """Stand in each of the last months, forecast, and look what came."""
    amounts, size = series.amounts, len(series.amounts)
    errors, naive_errors = [], []
    for cut in range(size - STEPS - CUTS + 1, size - STEPS + 1):
        came = amounts[cut : cut + STEPS]
        errors.append(forecast(amounts[:cut], STEPS) - came)
        naive_errors.append(naive(amounts[:cut], STEPS) - came)
    return Judged(np.array(errors), np.array(naive_errors), float(np.abs(np.diff(amounts)).mean()))


def step(
    as_of_dates: Sequence[date], sales: pa.Table, demand: pa.Table, settings: pa.Table
) -> Mapping[str, pa.Table]:
    """Reads `statistics.int_monthly_sales` and `int_monthly_demand`: whole months only."""
    as_of = max(as_of_dates)
    said = numbers_by_name(settings)
    ahead = int(said["forecast_months"])
    rows = sales.sort_by(
        [("series_kind", "ascending"), ("series", "ascending"), ("month", "ascending")]
    )
    told = [one for one in series_of(rows, "amount") if len(one.amounts) >= SHORTEST]
    judged = [back_test(one) for one in told]
    quality = _quality(judged, data_version(rows))
    better = [one.error < one.naive_error and quality.is_published for one in judged]
    forecasts = [
        _forecast_rows(as_of, one, found, ahead, said["forecast_band_share"])
        for one, found, good in zip(told, judged, better, strict=True)
        if good
    ]
    tested = [
        (as_of, one.kind, one.name, len(one.amounts), found.error, found.naive_error, good)
        for one, found, good in zip(told, judged, better, strict=True)
    ]
    asked = demand.sort_by([("product_code", "ascending"), ("month", "ascending")])
    stock, stock_quality = safety_stock(as_of, *matrix_of(asked), said, data_version(asked))
    return {
        "sales_forecast": pa.concat_tables([FORECASTS.empty_table(), *forecasts]),
        "sales_backtest": _rows(BACKTEST, tested),
        "safety_stock": stock,
        "sales_quality": pa.concat_tables([quality.rows(as_of), stock_quality.rows(as_of)]),
    }


def series_of(rows: pa.Table, value: str) -> list[Series]:
    """Rows by kind, series and month to series without gaps: a month without sales is zero."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    columns = (rows[name].to_pylist() for name in ("series_kind", "series", "month", value))
    for kind, name, month, amount in zip(*columns, strict=True):
        found.setdefault((kind, name), []).append((month_number(month), float(amount)))
    last = max((months[-1][0] for months in found.values()), default=0)
    made = []
    for (kind, name), months in found.items():
        first = months[0][0]
        amounts = np.zeros(last - first + 1)
        for number, amount in months:
            amounts[number - first] = amount
        made.append(Series(kind, name, first, amounts))
    return made


def _quality(judged: Sequence[Judged], version: str) -> Quality:
    judged = [one for one in judged if one.scale > 0]
    if not judged:
        return Quality(MODEL, version, fault=f"no series has {SHORTEST} months")
    scaled = float(np.mean([one.error / one.scale for one in judged]))
    plain = float(np.mean([one.naive_error / one.scale for one in judged]))
    won = float(np.mean([one.error < one.naive_error for one in judged]))
    return Quality(
        MODEL,
        version,
        [
            Figure(
                "backtest_scaled_error", scaled, "naive forecast", plain,
                more_is_better=False, decides=True,
            ),
            Figure("share_of_series_better_than_naive", won),
        ],
    )  # fmt: skip


def _forecast_rows(
    as_of: date, series: Series, judged: Judged, ahead: int, band_share: float
) -> pa.Table:
    """The band holds `band_share` of months when errors are normal."""
    told, plain = forecast(series.amounts, ahead), naive(series.amounts, ahead)
    width = float(norm.ppf((1 + band_share) / 2)) * judged.spread(ahead)
    return _rows(
        FORECASTS,
        [
            (
                as_of, series.kind, series.name, series.month(one + 1), round(told[one], 2),
                round(max(told[one] - width[one], 0.0), 2), round(told[one] + width[one], 2),
                band_share, round(plain[one], 2),
            )
            for one in range(ahead)
        ],
    )  # fmt: skip


def _rows(schema: pa.Schema, rows: Sequence[Sequence[object]]) -> pa.Table:
    columns = {name: [row[place] for row in rows] for place, name in enumerate(schema.names)}
    return table_of(columns, schema=schema)
