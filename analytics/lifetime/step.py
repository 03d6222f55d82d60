"""What customers without a contract will buy in 12 and 24 months, and who is gone.

In: purchase histories (BG/NBD on how often, Gamma-Gamma on how much). Out: a row per customer,
parameters with standard errors, quality on months that the fit did not see. Touches nothing; the
command reads its file and may write one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.arrow import pc, schema_of, table_of
from analytics.lifetime import bg_nbd, gamma_gamma
from analytics.lifetime.bg_nbd import BgNbd, Cells
from analytics.maximum_likelihood import Fit, Floats
from analytics.quality import Figure, Quality, data_version

MODEL = "lifetime_value"
SPEND = "lifetime_spend"
"""Gamma-Gamma; where it does not hold up, a customer's own mean amount goes on."""

YEAR = 365.25
PARAMETERS = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("model", pa.string()),
        ("parameter", pa.string()),
        ("value", pa.float64()),
        ("standard_error", pa.float64()),
    ]
)
PREDICTED = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("customer_id", pa.string()),
        ("repeat_purchases", pa.int64()),
        ("days_to_last_purchase", pa.int64()),
        ("days_observed", pa.int64()),
        ("probability_alive", pa.float64()),
        ("expected_purchases_12m", pa.float64()),
        ("expected_purchases_24m", pa.float64()),
        ("expected_amount", pa.float64()),
        ("expected_spend_12m", pa.float64()),
        ("expected_spend_24m", pa.float64()),
        ("amount_method", pa.string()),
    ]
)


@dataclass(frozen=True)
class HoldOut:
    """Expected and seen purchases per customer after the fit, and the naive forecast."""

    expected: Floats
    seen: Floats
    naive: Floats
    """The customer's own rate so far goes on: x purchases in T days, at least 30."""

    def figures(self) -> list[Figure]:
        """Correlation, root mean square error and total, with the naive forecast's."""
        naive = "own rate goes on"
        return [
            Figure(
                "holdout_rmse", _rmse(self.expected, self.seen), naive,
                _rmse(self.naive, self.seen), more_is_better=False, decides=True,
            ),
            Figure(
                "holdout_mae", float(np.mean(np.abs(self.expected - self.seen))), naive,
                float(np.mean(np.abs(self.naive - self.seen))), more_is_better=False,
            ),
            Figure(
                "holdout_correlation", correlation(self.expected, self.seen), naive,
                correlation(self.naive, self.seen),
            ),
            Figure(
                "holdout_total_error", abs(_off(self.expected, self.seen)), naive,
                abs(_off(self.naive, self.seen)), more_is_better=False,
            ),
        ]  # fmt: skip


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's; NaN where one side is constant."""
    if len(one) < 2 or one.std() == 0 or other.std() == 0:
        return float("nan")
    first, second = one - one.mean(), other - other.mean()
    return float(np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2)))


def _rmse(expected: Floats, seen: Floats) -> float:
    return float(np.sqrt(np.mean((expected - seen) ** 2)))


def _off(expected: Floats, seen: Floats) -> float:
    """How far the total is off, as a share of what was seen."""
    return float((expected.sum() - seen.sum()) / seen.sum()) if seen.sum() else float("nan")


def hold_out(
    x: NDArray[np.int64],
    t_x: NDArray[np.int64],
    T: NDArray[np.int64],  # noqa: N803
    seen: NDArray[np.int64],
    days: float,
) -> HoldOut:
    """Fit on histories and expect the next `days`; `seen` is what then happened."""
    of = bg_nbd.cells(x, t_x, T)
    model = bg_nbd.fit(of)
    expected = model.expected_purchases(of, days)[of.cell]
    naive = x / np.maximum(T, 30) * days
    return HoldOut(expected, seen.astype(np.float64), naive)


def predict(of: Cells, model: BgNbd, amount: Floats, days: float = 1.0) -> dict[str, Floats]:
    """What is expected per customer, as columns of `PREDICTED`; the model counts in `days`."""
    alive = model.probability_alive(of)[of.cell]
    year = model.expected_purchases(of, YEAR / days)[of.cell]
    two_years = model.expected_purchases(of, 2 * YEAR / days)[of.cell]
    return {
        "probability_alive": alive,
        "expected_purchases_12m": year,
        "expected_purchases_24m": two_years,
        "expected_amount": amount,
        "expected_spend_12m": year * amount,
        "expected_spend_24m": two_years * amount,
    }


def step(as_of_dates: Sequence[date], histories: pa.Table) -> Mapping[str, pa.Table]:
    """The step between two layers; `histories` is `statistics.int_repeat_purchases`."""
    as_of = max(as_of_dates)
    rows = histories.sort_by("customer_id")
    version = data_version(rows)
    predicted, parameters = PREDICTED.empty_table(), PARAMETERS.empty_table()
    try:
        held, spend = _held_out(rows, version)
        quality = Quality(MODEL, version, held.figures())
        qualities = [quality, spend]
        if quality.is_published:
            predicted, parameters = _told(as_of, rows, with_money=spend.is_published)
    except ValueError as error:
        qualities = [Quality(MODEL, version, fault=str(error))]
    return {
        "lifetime_value": predicted,
        "lifetime_value_parameters": parameters,
        "lifetime_value_quality": pa.concat_tables([one.rows(as_of) for one in qualities]),
    }


def _held_out(rows: pa.Table, version: str) -> tuple[HoldOut, Quality]:
    """How the purchases, and the amounts, of the months that are held out were foreseen."""
    before = rows.filter(rows["calibration_days_observed"].is_valid())
    if not before.num_rows:
        raise ValueError("nobody had bought before the months that are held out")
    held = hold_out(
        numbers(before, "calibration_repeat_purchases"),
        numbers(before, "calibration_days_to_last_purchase"),
        numbers(before, "calibration_days_observed"),
        numbers(before, "holdout_purchases"),
        float(before["holdout_days"][0].as_py()),
    )
    x = numbers(before, "calibration_repeat_purchases")
    own = amounts(before, "calibration_mean_amount")
    seen = amounts(before, "holdout_amount")
    try:
        money = gamma_gamma.fit(x, amounts(before, "calibration_mean_repeat_amount"))
    except ValueError as error:
        return held, Quality(SPEND, version, fault=f"{error}; the customer's own mean is taken")
    amount = money.expected_amount(x, amounts(before, "calibration_mean_repeat_amount"))
    figure = Figure(
        "holdout_mae", float(np.mean(np.abs(held.expected * amount - seen))), "own mean amount",
        float(np.mean(np.abs(held.expected * own - seen))), more_is_better=False, decides=True,
    )  # fmt: skip
    return held, Quality(SPEND, version, [figure])


def _told(as_of: date, rows: pa.Table, *, with_money: bool) -> tuple[pa.Table, pa.Table]:
    """Fits on everything known: what is expected, and the parameters."""
    x = numbers(rows, "repeat_purchases")
    of = bg_nbd.cells(x, numbers(rows, "days_to_last_purchase"), numbers(rows, "days_observed"))
    model = bg_nbd.fit(of)
    fits = {"bg_nbd": model.fit}
    amount, method = amounts(rows, "mean_amount"), "own_mean"
    if with_money:
        z = amounts(rows, "mean_repeat_amount")
        money = gamma_gamma.fit(x, z)
        fits["gamma_gamma"] = money.fit
        amount, method = money.expected_amount(x, z), "gamma_gamma"
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), rows.num_rows),
        **{name: rows[name] for name in PREDICTED.names[1:5]},
        **{name: pa.array(_rounded(v)) for name, v in predict(of, model, amount).items()},
        "amount_method": pa.repeat(method, rows.num_rows),
    }
    return table_of(columns).cast(PREDICTED), parameter_rows(as_of, fits)


def amounts(table: pa.Table, column: str) -> Floats:
    """As floating point, 0 where there is none."""
    found: Floats = pc.fill_null(table[column].cast(pa.float64()), 0.0).to_numpy()
    return np.nan_to_num(found)


def numbers(table: pa.Table, column: str) -> NDArray[np.int64]:
    found: NDArray[np.int64] = table[column].cast(pa.int64()).to_numpy()
    return found


def _rounded(values: Floats) -> Floats:
    """Six decimals: what is beyond them depends on the processor."""
    return np.round(values, 6)


def parameter_rows(as_of: date, fits: Mapping[str, Fit]) -> pa.Table:
    """As `PARAMETERS`; times in days."""
    rows = [
        {
            "as_of_date": as_of,
            "model": name,
            "parameter": parameter,
            "value": float(f"{value:.6g}"),
            "standard_error": _known(fit.standard_errors[parameter]),
        }
        for name, fit in fits.items()
        for parameter, value in fit.parameters.items()
    ]
    return pa.Table.from_pylist(rows, schema=PARAMETERS)


def _known(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
