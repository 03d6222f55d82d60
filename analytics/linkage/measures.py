"""How good a grouping of records is, against a truth.

In: group and true group of each record, or two sets of pairs. Out: precision, recall and F1 of
pairs, and B-cubed (Bagga and Baldwin 1998), which weighs every record alike. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Quality:
    """Shares of 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def of_counts(right: float, found: float, true: float) -> Quality:
    return Quality(right / found if found else 1.0, right / true if true else 1.0)


def of_pairs(found: Iterable[frozenset[str]], true: Iterable[frozenset[str]]) -> Quality:
    """Pairwise, of two sets of pairs."""
    given, wanted = set(found), set(true)
    return of_counts(len(given & wanted), len(given), len(wanted))


def of_groups(groups: Sequence[Hashable], truth: Sequence[Hashable]) -> tuple[Quality, Quality]:
    """Pairwise and B-cubed; both sequences by record, in one order."""
    group, true = _codes(groups), _codes(truth)
    both = _codes(list(zip(group.tolist(), true.tolist(), strict=True)))
    sizes = [np.bincount(codes)[codes].astype(float) for codes in (both, group, true)]
    pairs = [float((size - 1).sum() / 2) for size in sizes]
    together, in_group, in_truth = sizes
    records = max(len(group), 1)
    b_cubed = Quality(
        float((together / in_group).sum()) / records, float((together / in_truth).sum()) / records
    )
    return of_counts(*pairs), b_cubed


def components(records: Sequence[str], left: Sequence[str], right: Sequence[str]) -> list[int]:
    """The group of each record, when every pair ties its two records."""
    place = {record: at for at, record in enumerate(records)}
    ends = ([place[key] for key in left], [place[key] for key in right])
    size = len(records)
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), ends), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    return [int(code) for code in group]


def _codes(values: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def pairs_of(table: pa.Table) -> list[frozenset[str]]:
    """The pairs of columns left_id and right_id."""
    ends = zip(table["left_id"].to_pylist(), table["right_id"].to_pylist(), strict=True)
    return [frozenset(map(str, pair)) for pair in ends]
