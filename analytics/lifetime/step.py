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
from analytics.lifetime.gamma_gamma import GammaGamma
from analytics.maximum_likelihood import Floats
from analytics.quality import Figure, Quality, data_version

MODEL = "lifetime_value"
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
) -> tuple[HoldOut, BgNbd]:
    """Fit on histories and expect the next `days`; `seen` is what then happened."""
    of = bg_nbd.cells(x, t_x, T)
    model = bg_nbd.fit(of)
    expected = model.expected_purchases(of, days)[of.cell]
    naive = x / np.maximum(T, 30) * days
    return HoldOut(expected, seen.astype(np.float64), naive), model


def predict(
    of: Cells, model: BgNbd, money: GammaGamma, z: Floats, days: float = 1.0
) -> dict[str, Floats]:
    """What is expected per customer, as columns of `PREDICTED`; the model counts in `days`."""
    alive = model.probability_alive(of)[of.cell]
    amount = money.expected_amount(of.x[of.cell], z)
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
    try:
        quality, predicted, parameters = _fitted(as_of, rows, version)
    except ValueError as error:
        quality = Quality(MODEL, version, fault=str(error))
        predicted, parameters = PREDICTED.empty_table(), PARAMETERS.empty_table()
    return {
        "lifetime_value": predicted,
        "lifetime_value_parameters": parameters,
        "lifetime_value_quality": quality.rows(as_of),
    }


def _fitted(as_of: date, rows: pa.Table, version: str) -> tuple[Quality, pa.Table, pa.Table]:
    calibrated = rows.filter(rows["calibration_days_observed"].is_valid())
    if not calibrated.num_rows:
        raise ValueError("nobody had bought before the months that are held out")
    held, _ = hold_out(
        numbers(calibrated, "calibration_repeat_purchases"),
        numbers(calibrated, "calibration_days_to_last_purchase"),
        numbers(calibrated, "calibration_days_observed"),
        numbers(calibrated, "holdout_purchases"),
        float(calibrated["holdout_days"][0].as_py()),
    )
    of = bg_nbd.cells(
        numbers(rows, "repeat_purchases"),
        numbers(rows, "days_to_last_purchase"),
        numbers(rows, "days_observed"),
    )
    z = pc.fill_null(rows["mean_repeat_amount"], 0.0).to_numpy()
    model, money = bg_nbd.fit(of), gamma_gamma.fit(of.x[of.cell], z)
    quality = Quality(MODEL, version, held.figures())
    parameters = parameter_rows(as_of, model, money)
    if not quality.is_published:
        return quality, PREDICTED.empty_table(), parameters
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), rows.num_rows),
        **{name: rows[name] for name in PREDICTED.names[1:5]},
        **{name: pa.array(_rounded(v)) for name, v in predict(of, model, money, z).items()},
    }
    return quality, table_of(columns).cast(PREDICTED), parameters


def numbers(table: pa.Table, column: str) -> NDArray[np.int64]:
    found: NDArray[np.int64] = table[column].cast(pa.int64()).to_numpy()
    return found


def _rounded(values: Floats) -> Floats:
    """Six decimals: what is beyond them depends on the processor."""
    return np.round(values, 6)


def parameter_rows(as_of: date, model: BgNbd, money: GammaGamma) -> pa.Table:
    """As `PARAMETERS`; times in days."""
    rows = [
        {
            "as_of_date": as_of,
            "model": name,
            "parameter": parameter,
            "value": float(f"{fit.parameters[parameter]:.6g}"),
            "standard_error": _known(fit.standard_errors[parameter]),
        }
        for name, fit in (("bg_nbd", model.fit), ("gamma_gamma", money.fit))
        for parameter in fit.parameters
    ]
    return pa.Table.from_pylist(rows, schema=PARAMETERS)


def _known(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
