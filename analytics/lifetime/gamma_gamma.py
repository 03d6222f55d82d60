"""What a customer spends per purchase: the Gamma-Gamma model.

In: per customer with a repeat purchase the number x and the mean amount z of repeat purchases.
Out: the fit and expected amounts. Touches nothing.

Amounts vary around a customer's own mean (gamma: p, nu), and nu varies between customers (gamma: q,
gamma). Source: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value". Customers
without a repeat purchase, or whose mean is not positive, say nothing about it and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from analytics.maximum_likelihood import Fit, Floats, maximise

NAMES = ("p", "q", "gamma")
STARTS = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (2.0, 10.0, 4.0))
"""gamma as a share of the mean amount."""

ENOUGH = 10_000
"""So many customers tell where the search among all of them begins."""


@dataclass(frozen=True)
class GammaGamma:
    """A fitted model; gamma in the unit of the amounts."""

    fit: Fit
    customers: int

    @property
    def mean(self) -> float:
        """Expected amount per purchase of a customer of whom nothing is known."""
        p, q, gamma = (self.fit.parameters[name] for name in NAMES)
        return p * gamma / (q - 1)

    def expected_amount(self, x: ArrayLike, z: ArrayLike) -> Floats:
        """Expected amount per purchase: between the customer's mean and everybody's."""
        p, q, gamma = (self.fit.parameters[name] for name in NAMES)
        number, mean = np.asarray(x, dtype=np.float64), np.asarray(z, dtype=np.float64)
        known = (number > 0) & (mean > 0)
        number, mean = np.where(known, number, 0.0), np.where(known, mean, 0.0)
        found: Floats = p * (gamma + number * mean) / (p * number + q - 1)
        return found


def fit(x: ArrayLike, z: ArrayLike) -> GammaGamma:
    """The most likely parameters.

    Raises `ValueError` when fewer than two customers bought again, or when amounts spread so far
    that no mean exists (q <= 1).
    """
    number, mean = np.asarray(x, dtype=np.float64), np.asarray(z, dtype=np.float64)
    known = (number > 0) & (mean > 0)
    number, mean = number[known], mean[known]
    if len(number) < 2 or mean.min() == mean.max():
        raise ValueError("the amounts of repeat purchases do not differ between customers")
    unit = float(mean.mean())
    scaled = mean / unit
    starts: Sequence[Sequence[float]] = STARTS
    if len(number) > 2 * ENOUGH:
        part = slice(None, None, len(number) // ENOUGH)
        near = maximise(lambda at: _log_likelihood(at, number[part], scaled[part]), NAMES, STARTS)
        starts = [[near.parameters[name] for name in NAMES]]
    found = maximise(lambda at: _log_likelihood(at, number, scaled), NAMES, starts)
    parameters, errors = dict(found.parameters), dict(found.standard_errors)
    if parameters["q"] <= 1:
        raise ValueError("amounts spread so far between customers that no mean exists (q <= 1)")
    parameters["gamma"] *= unit
    errors["gamma"] *= unit
    shift = len(mean) * float(np.log(unit))
    fitted = Fit(parameters, errors, found.log_likelihood - shift, found.converged)
    return GammaGamma(fitted, len(mean))


def _log_likelihood(at: Floats, x: Floats, z: Floats) -> tuple[float, Floats]:
    """The paper's equation 1a and its gradient, in logarithms of p, q, gamma."""
    p, q, gamma = np.exp(at)
    numbers, customers = np.unique(x, return_counts=True)
    shape = p * numbers
    by_number = gammaln(shape + q) - gammaln(shape) + shape * np.log(numbers)
    log_z, spread = np.log(z), np.log(gamma + x * z)
    size = len(x)
    value = float(
        np.sum(customers * by_number) + size * (q * np.log(gamma) - gammaln(q))
        + np.sum((p * x - 1) * log_z - (p * x + q) * spread)
    )  # fmt: skip
    by_p = np.sum(
        customers * numbers * (digamma(shape + q) - digamma(shape) + np.log(numbers))
    ) + np.sum(x * (log_z - spread))
    by_q = (
        np.sum(customers * digamma(shape + q)) + size * (np.log(gamma) - digamma(q))
        - np.sum(spread)
    )  # fmt: skip
    by_gamma = size * q / gamma - np.sum((p * x + q) / (gamma + x * z))
    return value, np.array([by_p * p, by_q * q, by_gamma * gamma])
