"""How good a model is, on what it has not seen, beside the simple way that it must beat.

In: measured figures. Out: rows of `value.model_quality`, and whether the model may be published.
Touches nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from analytics.arrow import schema_of

SCHEMA = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("model", pa.string()),
        ("data_version", pa.string()),
        ("seed", pa.int64()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("baseline", pa.string()),
        ("baseline_value", pa.float64()),
        ("is_deciding", pa.bool_()),
        ("beats_baseline", pa.bool_()),
        ("is_published", pa.bool_()),
        ("note", pa.string()),
    ]
)


@dataclass(frozen=True)
class Figure:
    """One metric of one trial; without a baseline it is told, and decides nothing."""

    metric: str
    value: float
    baseline: str = ""
    baseline_value: float | None = None
    more_is_better: bool = True
    decides: bool = False
    seed: int = 0

    @property
    def beats(self) -> bool | None:
        if self.baseline_value is None:
            return None
        if self.more_is_better:
            return self.value > self.baseline_value
        return self.value < self.baseline_value


@dataclass(frozen=True)
class Quality:
    """All figures of a model. `fault`: why there is no model at all."""

    model: str
    data_version: str
    figures: Sequence[Figure] = ()
    fault: str = ""

    @property
    def is_published(self) -> bool:
        """Whether it beats its baseline: the mean over the seeds, in each deciding metric."""
        deciding = [figure for figure in self.figures if figure.decides]
        metrics = {figure.metric for figure in deciding}
        return bool(metrics) and not self.fault and all(self._beats(one) for one in metrics)

    def _beats(self, metric: str) -> bool:
        trials = [figure for figure in self.figures if figure.metric == metric and figure.decides]
        if any(figure.baseline_value is None or np.isnan(figure.value) for figure in trials):
            return False
        model = float(np.mean([figure.value for figure in trials]))
        baseline = float(np.mean([figure.baseline_value or 0.0 for figure in trials]))
        return model > baseline if trials[0].more_is_better else model < baseline

    @property
    def note(self) -> str:
        if self.fault:
            return f"not published: {self.fault}"
        return "published" if self.is_published else "not published: it does not beat its baseline"

    def rows(self, as_of: date) -> pa.Table:
        """As `SCHEMA`; one row that says why where there is no model."""
        figures = self.figures or [Figure("none", float("nan"))]
        return pa.Table.from_pylist(
            [
                {
                    "as_of_date": as_of,
                    "model": self.model,
                    "data_version": self.data_version,
                    "seed": figure.seed,
                    "metric": figure.metric,
                    "value": _number(figure.value),
                    "baseline": figure.baseline or None,
                    "baseline_value": _number(figure.baseline_value),
                    "is_deciding": figure.decides,
                    "beats_baseline": figure.beats,
                    "is_published": self.is_published,
                    "note": self.note,
                }
                for figure in figures
            ],
            schema=SCHEMA,
        )


def _number(value: float | None) -> float | None:
    """Nine significant digits: what is beyond them depends on the processor."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.9g}")


def data_version(*tables: pa.Table) -> str:
    """A fingerprint of rows in their order: names and values, whatever the chunks, the width of
    whole numbers and the precision of decimals: those are the engine's, not the data's."""
    digest = hashlib.sha256()
    for table in tables:
        for name, column in zip(table.column_names, table.columns, strict=True):
            array: Any = pa.concat_arrays(column.chunks) if column.num_chunks else column
            array = _plain(array)
            digest.update(f"{name} {array.type};".encode())
            digest.update(np.asarray(array.is_valid().to_numpy(zero_copy_only=False)).tobytes())
            if pa.types.is_large_string(array.type):
                text = array.fill_null("")
                _, ends, values = text.buffers()
                place = np.frombuffer(ends, np.int64)[text.offset : text.offset + len(text) + 1]
                digest.update((place - place[:1]).tobytes())
                digest.update(memoryview(values)[place[0] : place[-1]] if values else b"")
            elif len(array):
                zero = False if pa.types.is_boolean(array.type) else 0
                filled = array.fill_null(pa.scalar(zero, array.type))
                digest.update(filled.to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()[:16]


def _plain(array: Any) -> Any:
    """Numbers, days and texts in one type each."""
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
    if pa.types.is_integer(array.type) or (
        pa.types.is_decimal(array.type) and array.type.scale == 0
    ):
        return array.cast(pa.int64())
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.string())
    return array.cast(pa.large_string()) if pa.types.is_string(array.type) else array
