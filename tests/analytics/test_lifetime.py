"""BG/NBD and Gamma-Gamma against published figures, the papers' formulas, and at the edges."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import beta as beta_function
from scipy.special import hyp2f1

from analytics.checks import value as checks
from analytics.checks.figures import compared, expected_in
from analytics.lifetime import bg_nbd, gamma_gamma, step
from analytics.lifetime.bg_nbd import BgNbd
from analytics.maximum_likelihood import Fit

CDNOW = Path(__file__).parent.parent / "data" / "cdnow"
PAPER = BgNbd(Fit({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, {}, 0.0, True))


def test_cdnow_gives_the_published_figures_from_the_log() -> None:
    expected = expected_in(checks.FIGURES)["cdnow"]
    lines = compared("cdnow", expected, checks.cdnow(CDNOW))
    assert len(lines) == 13
    assert [line for line in lines if not line.ok] == []


def test_the_log_gives_the_published_summary() -> None:
    import pandas as pd

    summary = pd.read_csv(CDNOW / "cdnow_customers_summary_with_transactions.csv.gz")
    purchases = checks.transactions.read_purchases(
        CDNOW / "CDNOW_sample.txt.gz", checks.MAPPINGS / "cdnow.yaml"
    )
    known = checks.transactions.histories(
        purchases, checks.transactions.day_number(date(1997, 9, 30))
    )
    assert (known.x == summary["x"]).all()
    assert np.allclose(np.round(known.t_x / 7, 2), summary["t_x"], atol=0.011)
    assert np.allclose(np.round(known.T / 7, 2), summary["T"], atol=0.011)
    assert np.allclose(known.mean_amount, summary["zbar"], atol=0.011)


def test_gradients_are_those_of_the_likelihoods() -> None:
    chance = np.random.default_rng(3)
    x = chance.integers(0, 6, 60)
    observed = chance.uniform(1, 40, 60)
    last = np.where(x > 0, observed * chance.uniform(0, 1, 60), 0.0)
    of = bg_nbd.cells(x, last, observed)
    z = chance.gamma(3, 10, 60)
    for function, at in (
        (lambda at: bg_nbd._log_likelihood(at, of), np.log([0.5, 3.0, 0.8, 2.0])),
        (
            lambda at: gamma_gamma._log_likelihood(at, x[x > 0].astype(float), z[x > 0]),
            np.log([2.0, 3.0, 9.0]),
        ),
    ):
        gradient = function(at)[1]
        for place in range(len(at)):
            aside = np.zeros(len(at))
            aside[place] = 1e-6
            slope = (function(at + aside)[0] - function(at - aside)[0]) / 2e-6
            assert slope == pytest.approx(gradient[place], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("history", [(0, 0, 20), (1, 5, 30), (2, 30.43, 38.86), (26, 30.86, 31)])
def test_expected_purchases_are_the_papers_equation(history: tuple[float, float, float]) -> None:
    """Equation 10 as printed, without the transformation."""
    x, last, observed = history
    r, alpha, a, b, time = 0.243, 4.414, 0.793, 2.426, 39
    rest = ((alpha + observed) / (alpha + observed + time)) ** (r + x)
    series = hyp2f1(r + x, b + x, a + b + x - 1, time / (alpha + observed + time))
    gone = (a / (b + x - 1)) * ((alpha + observed) / (alpha + last)) ** (r + x) if x else 0
    printed = (a + b + x - 1) / (a - 1) * (1 - rest * series) / (1 + gone)
    (found,) = PAPER.expected_purchases(bg_nbd.cells([x], [last], [observed]), time)
    assert found == pytest.approx(printed, rel=1e-9)


def test_a_customer_of_a_thousand_purchases_is_told_too() -> None:
    of = bg_nbd.cells([1000, 1000], [300.0, 20.0], [301.0, 301.0])
    faithful, gone = PAPER.expected_purchases(of, 52)[of.cell]
    assert 100 < faithful < 1000 * 52 / 300
    assert 0 <= gone < 1e-6
    assert list(PAPER.probability_alive(of)[of.cell] < 0.01) == [False, True]


def test_parameters_of_a_simulated_cohort_are_found() -> None:
    chance = np.random.default_rng(5)
    size, r, alpha, a, b = 4000, 0.8, 10.0, 1.2, 3.0
    rate, leaves = chance.gamma(r, 1 / alpha, size), chance.beta(a, b, size)
    observed = chance.uniform(20, 52, size)
    x, last = np.zeros(size, dtype=int), np.zeros(size)
    alive, now = np.ones(size, dtype=bool), np.zeros(size)
    while alive.any():
        now = now + chance.exponential(1, size) / rate
        bought = alive & (now < observed)
        x, last = x + bought, np.where(bought, now, last)
        alive = bought & (chance.random(size) > leaves)
    fit = bg_nbd.fit(bg_nbd.cells(x, last, observed)).fit
    assert fit.converged
    for name, truth in (("r", r), ("alpha", alpha), ("a", a), ("b", b)):
        assert _errors_apart(fit, name, truth) < 3, name
    nu = chance.gamma(4, 1 / 20, size)
    z = np.where(x > 0, chance.gamma(5 * np.maximum(x, 1), 1 / (nu * np.maximum(x, 1))), 0)
    money = gamma_gamma.fit(x, z)
    for name, truth in (("p", 5.0), ("q", 4.0), ("gamma", 20.0)):
        assert _errors_apart(money.fit, name, truth) < 3, name
    assert money.expected_amount([0], [0.0])[0] == pytest.approx(money.mean)


def _errors_apart(fit: Fit, name: str, truth: float) -> float:
    """In standard errors of the logarithm, whose distribution is the rounder one."""
    found = fit.parameters[name]
    return float(abs(np.log(found / truth)) * found / fit.standard_errors[name])


@pytest.mark.parametrize("b", [60.0, 1500.0])
def test_where_the_series_ends_the_mean_over_quantiles_goes_on(b: float) -> None:
    """Both ways agree where both work; where nobody leaves, a customer buys as its rate says."""
    model = BgNbd(Fit({"r": 0.5, "alpha": 8.0, "a": 0.9, "b": b}, {}, 0.0, True))
    x, growth = np.array([0, 2, 30]), np.full(3, 39 / 48)
    of = bg_nbd.cells(x, [0.0, 30, 38], [40.0, 40, 40])
    by_series = model.expected_purchases(of, 39)[of.cell] / model.probability_alive(of)[of.cell]
    assert model._by_quantiles(x, growth) == pytest.approx(by_series, rel=1e-3)
    nobody = BgNbd(Fit({"r": 0.5, "alpha": 8.0, "a": 1e-5, "b": 160_000.0}, {}, 0.0, True))
    assert nobody.expected_purchases(of, 3900)[of.cell] == pytest.approx(
        (0.5 + x) / 48 * 3900, rel=1e-3
    )


def test_customers_alike_share_a_cell_and_change_nothing() -> None:
    x, last, observed = [0, 2, 2, 0, 1], [0, 3.0, 3.0, 0, 9.0], [9.0, 9.0, 9.0, 9.0, 9.5]
    of = bg_nbd.cells(x, last, observed)
    assert len(of.x) == 3
    assert sorted(of.customers) == [1, 2, 2]
    assert np.array_equal(of.x[of.cell], x)
    assert np.array_equal(of.T[of.cell], observed)


@pytest.mark.parametrize("history", [(1, 5.0, 4.0), (0, 1.0, 4.0), (-1, 0.0, 4.0)])
def test_impossible_histories_are_refused(history: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="customer 0 has a history that cannot be"):
        bg_nbd.cells(*([value] for value in history))


def _histories(sure: bool) -> pa.Table:
    """Customers of whom the held-out months bought as before, or the other way round."""
    chance = np.random.default_rng(2)
    size = 600
    rate = chance.gamma(0.5, 0.02, size)
    x = chance.poisson(rate * 364)
    last = np.where(x > 0, (364 * chance.random(size) ** (1 / np.maximum(x, 1))).astype(int), 0)
    later = chance.poisson(rate * 182) if sure else x // 2
    own = chance.gamma(4, 1, size) * 20 / chance.gamma(5, 1, size)
    z = chance.gamma(5 * np.maximum(x, 1), own / np.maximum(x, 1))
    return pa.table(
        {
            "customer_id": [f"c{number:03}" for number in range(size)],
            "repeat_purchases": x,
            "days_to_last_purchase": last,
            "days_observed": np.full(size, 364),
            "mean_amount": (z * x + chance.gamma(5, own)) / (x + 1),
            "mean_repeat_amount": np.where(x > 0, z, np.nan),
            "calibration_repeat_purchases": x,
            "calibration_days_to_last_purchase": last,
            "calibration_days_observed": np.full(size, 364),
            "calibration_mean_amount": (z * x + chance.gamma(5, own)) / (x + 1),
            "calibration_mean_repeat_amount": np.where(x > 0, z, np.nan),
            "holdout_amount": later * 5 * own,
            "holdout_purchases": later,
            "holdout_days": np.full(size, 182),
        }
    )


def test_the_step_gives_the_same_rows_in_whatever_order_they_come() -> None:
    rows, day = _histories(sure=True), [date(2026, 1, 31), date(2025, 12, 31)]
    made = step.step(day, rows)
    again = step.step(day, rows.take(pa.array(np.random.default_rng(1).permutation(len(rows)))))
    assert made.keys() == again.keys()
    assert all(made[name].equals(again[name]) for name in made)
    assert made["lifetime_value"].num_rows == 600
    quality = made["lifetime_value_quality"].to_pandas()
    assert quality.query("model == 'lifetime_value'")["is_published"].tolist() == [True] * 4
    (spend,) = quality.query("model == 'lifetime_spend'")["is_published"]
    methods = set(made["lifetime_value"]["amount_method"].to_pylist())
    assert methods == {"gamma_gamma" if spend else "own_mean"}
    told = made["lifetime_value"].to_pandas()
    assert (told["expected_purchases_24m"] >= told["expected_purchases_12m"]).all()
    assert told["probability_alive"].between(0, 1).all()


def test_a_model_that_does_not_beat_the_naive_forecast_is_not_published() -> None:
    made = step.step([date(2026, 1, 31)], _histories(sure=False))
    assert made["lifetime_value"].num_rows == 0
    quality = made["lifetime_value_quality"].to_pandas()
    notes = set(quality.query("model == 'lifetime_value'")["note"])
    assert notes == {"not published: it does not beat its baseline"}


def test_amounts_without_a_mean_leave_the_customers_own() -> None:
    rows = _histories(sure=True)
    place = rows.column_names.index("calibration_mean_repeat_amount")
    chance = np.random.default_rng(7)
    wild = np.exp(chance.normal(0, 6, len(rows)))  # no mean: spread over many powers of ten
    made = step.step([date(2026, 1, 31)], rows.set_column(place, rows.column_names[place], [wild]))
    quality = made["lifetime_value_quality"].to_pandas()
    (note,) = quality.query("model == 'lifetime_spend'")["note"]
    assert "no mean exists" in note
    assert set(made["lifetime_value"]["amount_method"].to_pylist()) == {"own_mean"}
    told = made["lifetime_value"].to_pandas()
    assert np.allclose(told["expected_amount"], rows["mean_amount"].to_numpy())


def test_no_repeat_purchase_is_a_reason_not_a_failure() -> None:
    rows = _histories(sure=True).slice(0, 0)
    made = step.step([date(2026, 1, 31)], rows)
    (note,) = made["lifetime_value_quality"]["note"].to_pylist()
    assert note.startswith("not published: nobody had bought")
    assert made["lifetime_value"].num_rows == 0


def test_beta_of_the_paper() -> None:
    """The probability alive by its definition: both ways of having stopped, weighed."""
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    x, last, observed = 3, 10.0, 30.0
    stayed = beta_function(a, b + x) / beta_function(a, b) * (alpha + observed) ** -(r + x)
    left = beta_function(a + 1, b + x - 1) / beta_function(a, b) * (alpha + last) ** -(r + x)
    of = bg_nbd.cells([x], [last], [observed])
    assert PAPER.probability_alive(of)[0] == pytest.approx(stayed / (stayed + left), rel=1e-12)
