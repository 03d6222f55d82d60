"""Measures of a grouping, against examples by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.linkage import measures
from analytics.linkage.tables import threshold


def test_pairs_and_b_cubed_by_hand() -> None:
    """Truth {a b c} {d e}; found {a b} {c d e}: pairs 2 right of 4 found and 4 true."""
    pairwise, b_cubed = measures.of_groups([1, 1, 2, 2, 2], ["x", "x", "x", "y", "y"])
    assert (pairwise.precision, pairwise.recall) == (0.5, 0.5)
    assert b_cubed.precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert b_cubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)


def test_components_are_what_pairs_connect() -> None:
    group = measures.components(["a", "b", "c", "d"], ["a", "c"], ["b", "b"])
    assert group[0] == group[1] == group[2] != group[3]


def test_nothing_found_is_nothing_wrong() -> None:
    quality = measures.of_pairs([], [frozenset("ab")])
    assert (quality.precision, quality.recall, quality.f1) == (1.0, 0.0, 0.0)


def test_the_threshold_expects_the_greatest_f1() -> None:
    """Of 0.9, 0.8, 0.3, 0.1: F1 expected is greatest for the first two."""
    probabilities = np.array([0.1, 0.9, 0.3, 0.8])
    expected = {k: 2 * sum((0.9, 0.8, 0.3, 0.1)[:k]) / (k + 2.1) for k in (1, 2, 3, 4)}
    assert max(expected, key=lambda k: expected[k]) == 2
    assert threshold(probabilities) == 0.8
