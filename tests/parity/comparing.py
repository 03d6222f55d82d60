"""Whether two tables hold the same rows, and if not, how many differ and which.

In: two Arrow tables, and the columns of the key. Out: a `Difference`, or None. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

EXAMPLES = 3
FINGERPRINTS = ("fact_sum", "row_sum")
"""Columns that each engine counts in its own way; what they stand for is compared as rows."""


@dataclass(frozen=True)
class Difference:
    """What a table has on one engine only."""

    table: str
    reason: str
    rows: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = "".join(f"\n    {example}" for example in self.examples)
        return f"{self.table}: {self.reason}{lines}"


def compare(
    name: str, duck: pa.Table, spark: pa.Table, key: Sequence[str] = ()
) -> Difference | None:
    """EXCEPT ALL both ways, over all columns.

    Whole numbers may differ in width (a decimal of scale 0 is one: a sum of integers is that on
    DuckDB) and decimals in precision, never in scale; any other difference of types is one of the
    tables. Texts, decimals and doubles are compared as they stand, fingerprints not at all.
    """
    duck, spark = (
        table.select([name for name in table.column_names if name not in FINGERPRINTS])
        for table in (duck, spark)
    )
    if duck.column_names != spark.column_names:
        only = set(duck.column_names) ^ set(spark.column_names)
        return Difference(name, f"columns differ: {', '.join(sorted(only)) or 'order'}")
    types = [
        f"{ours.name} is {ours.type} on duckdb, {theirs.type} on spark"
        for ours, theirs in zip(duck.schema, spark.schema, strict=True)
        if _kind(ours.type) != _kind(theirs.type)
    ]
    if types:
        return Difference(name, "types differ: " + "; ".join(types))

    with duckdb.connect() as connection:
        connection.execute("set threads = 1")  # small tables: threads cost more than they bring
        connection.register("duck", duck)
        connection.register("spark", spark)
        columns = ", ".join(f'"{column}"' for column in duck.column_names)
        missing = f"select {columns} from duck except all select {columns} from spark"
        if duck.num_rows == spark.num_rows and not connection.sql(missing).fetchone():
            return None  # as many rows, and each of them: the other way round holds as well
        for first, second in (("duck", "spark"), ("spark", "duck")):
            connection.execute(
                f"create temp table only_{first} as select {columns} from {first}"
                f" except all select {columns} from {second}"
            )
        rows = [
            connection.sql(f"select count(*) from only_{side}").fetchall()[0][0]
            for side in ("duck", "spark")
        ]
        side = "duck" if rows[0] else "spark"
        different = [
            column
            for column in duck.column_names
            if connection.sql(
                f'select "{column}" from only_duck except all select "{column}" from only_spark'
            ).fetchone()
        ]
        shown = list(key) or duck.column_names[:EXAMPLES]
        names = ", ".join(f'"{column}"' for column in shown)
        examples = connection.sql(
            f"select distinct {names} from only_{side} order by all limit {EXAMPLES}"
        ).fetchall()
    return Difference(
        name,
        f"{rows[0]} row(s) on duckdb only, {rows[1]} on spark only, of {duck.num_rows};"
        f" in {', '.join(different) or 'whole rows'}; for example",
        sum(rows),
        tuple(
            ", ".join(f"{column}={value}" for column, value in zip(shown, row, strict=True))
            for row in examples
        ),
    )


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        return "integer"
    if pa.types.is_decimal(kind):
        return f"decimal of scale {kind.scale}"
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    return str(kind)
