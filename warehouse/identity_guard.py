"""The bounds of an identity that may be published without a person's word.

In: the marts of the finished build, the last publication, the truth of the embedded sources when
there is one. Out: a sentence per measure that is out of its bounds (seed `identity_limits`).
Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kehu.settings import Settings
from warehouse import connection
from warehouse.engines import Engine


@dataclass(frozen=True)
class Limit:
    """A row of the seed `identity_limits`."""

    measure: str
    minimum: Decimal | None
    maximum: Decimal | None
    smallest_sample: int
    description: str

    def broken_by(self, measured: float, sample: int) -> str | None:
        """What is wrong, or None; a small sample says nothing."""
        if sample < self.smallest_sample:
            return None
        said = f"{self.measure} is {measured:g} of {sample:,} ({self.description.lower()})"
        if self.minimum is not None and measured < float(self.minimum):
            return f"{said}; at least {self.minimum.normalize():f} is allowed"
        if self.maximum is not None and measured > float(self.maximum):
            return f"{said}; at most {self.maximum.normalize():f} is allowed"
        return None


def breaches(settings: Settings, engine: Engine) -> list[str]:
    """Every measure that is out of its bounds, as a sentence without a value of a person."""
    limits = {
        row[0]: Limit(*row)
        for row in engine.fetch(
            "select measure, minimum, maximum, smallest_sample, description"
            " from identity.identity_limits"
        )
    }
    found = []
    for measure, measured, sample in (*_measured(engine), *_compared(settings, engine)):
        limit = limits.get(measure)
        if limit and (said := limit.broken_by(measured, sample)):
            found.append(said)
    return found


def _measured(engine: Engine) -> Iterator[tuple[str, float, int]]:
    """What the build measured itself."""
    for measure, measured, sample in engine.fetch(
        "select measure, measured, sample_size from customer.identity_health"
        " where measured is not null"
    ):
        yield measure, float(measured), int(sample)


def _compared(settings: Settings, engine: Engine) -> Iterator[tuple[str, float, int]]:
    """What needs something beside the build: the last publication, or the truth."""
    if settings.published_file.exists():
        share, sample = _changed_grades(settings, engine)
        yield "changed_grade_share", share, sample
    truth = settings.demo_sources / "truth" / "truth.parquet"
    if truth.exists():
        precision, pairs = _precision(_columns(engine, "identity.int_customer_records"), truth)
        yield "label_precision", precision, pairs


def _columns(engine: Engine, table: str) -> pa.Table:
    with engine.read(table) as reader:
        return reader.read_all()


def _changed_grades(settings: Settings, engine: Engine) -> tuple[float, int]:
    """Share of the customers graded then and now whose grade differs, and their number."""
    query = (
        "select customer_id, scheme, grade from credit.credit_grades"
        " where as_of_date = (select max(as_of_date) from credit.credit_grades)"
    )
    try:
        with connection.read_published(settings.published_file) as con:
            before = {(row[0], row[1]): row[2] for row in con.execute(query).fetchall()}
    except connection.Error:
        return 0.0, 0
    now = {(row[0], row[1]): row[2] for row in engine.fetch(query)}
    both = before.keys() & now.keys()
    changed = sum(before[key] != now[key] for key in both)
    return (changed / len(both) if both else 0.0), len(both)


def _precision(records: pa.Table, truth: Path) -> tuple[float, int]:
    """Share of the tied pairs that are one party in truth, and the number of tied pairs."""
    parties = pq.read_table(truth, columns=["source_system", "source_record_id", "party_id"])
    keys = ["source_system", "source_record_id"]
    joined = records.select([*keys, "customer_id"]).join(parties, keys, join_type="inner")
    tied = _pairs(joined, ["customer_id"])
    right = _pairs(joined, ["customer_id", "party_id"])
    return (right / tied if tied else 1.0), tied


def _pairs(rows: pa.Table, keys: list[str]) -> int:
    """Pairs of rows that are equal in `keys`."""
    sizes = rows.group_by(keys).aggregate([([], "count_all")]).column("count_all")
    return int(pc.sum(pc.divide(pc.multiply(sizes, pc.subtract(sizes, 1)), 2)).as_py() or 0)
