"""Maximum likelihood for positive parameters, with standard errors.

In: the log-likelihood of the parameters' logarithms, with its gradient. Out: a `Fit`. Touches
nothing.

The search runs in logarithms: no bounds are needed, and parameters of different size weigh alike.
Standard errors come from the curvature at the maximum (observed information), carried from the
logarithms to the parameters by the delta method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Logarithms of the parameters to the log-likelihood and its gradient."""

STEP = 1e-4
"""Step of the central differences of the gradient, in logarithms."""

FLAT = 12.0
"""A logarithm beyond this is a parameter without end: the data do not tell it."""


@dataclass(frozen=True)
class Fit:
    """Parameters by name, their standard errors (NaN where the data do not tell one)."""

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    converged: bool


def maximise(
    function: LogLikelihood, names: Sequence[str], starts: Sequence[Sequence[float]]
) -> Fit:
    """The best of the maxima found from `starts` (positive parameters, in the order of `names`)."""

    def falling(logarithms: Floats) -> tuple[float, Floats]:
        value, gradient = function(logarithms)
        return -value, -gradient

    bounds = [(-FLAT, FLAT)] * len(names)
    best = None
    for start in starts:
        found = minimize(
            falling,
            np.log(np.asarray(start, dtype=np.float64)),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-6},
        )
        if best is None or found.fun < best.fun - 1e-9 * abs(best.fun):
            best = found
    if best is None:
        raise ValueError("no start was given")
    at, flat = _newton(falling, best.x)
    parameters = np.exp(at)
    errors = _standard_errors(falling, at) * parameters
    return Fit(
        parameters=dict(zip(names, parameters.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        log_likelihood=-falling(at)[0],
        converged=flat and bool(np.all(np.abs(at) < FLAT - 1e-6)),
    )


def _curvature(falling: LogLikelihood, at: Floats) -> Floats:
    columns = []
    for place in range(len(at)):
        step = np.zeros_like(at)
        step[place] = STEP
        columns.append((falling(at + step)[1] - falling(at - step)[1]) / (2 * STEP))
    curvature = np.array(columns)
    return (curvature + curvature.T) / 2


def _newton(falling: LogLikelihood, at: Floats) -> tuple[Floats, bool]:
    """Last steps to the very top: the printed digits must not depend on the search's tolerance."""
    value, gradient = falling(at)
    # The search ends near the top, where the curvature hardly changes: one serves all steps.
    curvature = _curvature(falling, at)
    for _ in range(12):
        if float(np.max(np.abs(gradient))) <= 1e-9 * max(1.0, abs(value)):
            return at, True
        try:
            step = np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:
            break
        if float(np.max(np.abs(step))) > 1:
            break
        next_value, next_gradient = falling(at - step)
        if not next_value <= value + 1e-9 * abs(value):
            break
        at, value, gradient = at - step, next_value, next_gradient
    return at, float(np.max(np.abs(gradient))) <= 1e-5 * max(1.0, abs(value))


def _standard_errors(falling: LogLikelihood, at: Floats) -> Floats:
    try:
        variances = np.diag(np.linalg.inv(_curvature(falling, at)))
    except np.linalg.LinAlgError:
        return np.full(len(at), np.nan)
    return np.sqrt(np.where(variances > 0, variances, np.nan))
