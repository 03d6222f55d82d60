"""The structural half of a suite: what the contract promises of each row, nothing by hand.

In: a contract. Out: expectations named `<column>:not_null`, `<column>:in_set`, `<column>:range`,
`<column>:pattern`, `<column>:type` and `key:unique`; all critical: a row that breaks one cannot be
read as its contract says. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from great_expectations import expectations as gxe  # noqa: TID251

from expectations.engine import CRITICAL, ROW_NUMBER, ExpectQueryToReturnNoRows
from extract.contract import Column, Contract
from extract.landing import CAST_ERRORS

WHOLE_LINE = "_line"
"""Name under which a line that could not be cut into cells reports: all its cells are NULL."""

_WHY = {
    "not_null": "The contract says that the cell is never empty.",
    "in_set": "The contract lists the values that there are, and this is none.",
    "range": "The number lies outside the contract's bounds.",
    "pattern": "The text does not have the form that the contract says.",
    "unique": "Two rows with one key and one version contradict each other.",
    "type": "The cell does not fit the contract's type without being changed.",
}


def rules(contract: Contract, cast_errors: Collection[str] = ()) -> list[Any]:
    """The expectations that follow from `contract`.

    `cast_errors`: the names that occur in the batch's column of cells that did not fit their
    type. Such a cell is NULL for that reason, and is not reported as missing as well.
    """
    found = [rule for column in contract.columns for rule in _of_column(column, cast_errors)]
    found.append(_unique_key(contract))
    found.extend(_fits_type(name) for name in sorted(cast_errors))
    return found


def _of_column(column: Column, cast_errors: Collection[str]) -> list[Any]:
    name = column.name
    found: list[Any] = []
    if column.required or column.primary_key:
        found.append(_not_null(name, cast_errors))
    if column.enum:
        found.append(
            gxe.ExpectColumnValuesToBeInSet(
                column=name, value_set=list(column.enum), **_named(f"{name}:in_set")
            )
        )
    if (column.minimum, column.exclusive_minimum, column.maximum) != (None, None, None):
        minimum = column.minimum if column.exclusive_minimum is None else column.exclusive_minimum
        found.append(
            gxe.ExpectColumnValuesToBeBetween(
                column=name,
                min_value=minimum,
                max_value=column.maximum,
                strict_min=column.exclusive_minimum is not None,
                **_named(f"{name}:range"),
            )
        )
    if column.pattern:
        found.append(
            gxe.ExpectColumnValuesToMatchRegex(
                column=name, regex=column.pattern, **_named(f"{name}:pattern")
            )
        )
    return found


def _not_null(name: str, cast_errors: Collection[str]) -> Any:
    unread = [other for other in (name, WHOLE_LINE) if other in cast_errors]
    if not unread:
        return gxe.ExpectColumnValuesToNotBeNull(column=name, **_named(f"{name}:not_null"))
    explained = " or ".join(_names_cell(other) for other in unread)
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=(
            f'select {ROW_NUMBER} from {{batch}} where "{name}" is null'
            f" and ({CAST_ERRORS} is null or not ({explained}))"
        ),
        **_named(f"{name}:not_null"),
    )


def _unique_key(contract: Contract) -> Any:
    """Two different rows with the same key and cursor contradict each other: both are held back.

    Identical rows are one row delivered twice; the loader drops the copies. Rows with the same
    key and another cursor are versions. Rows without a key, and rows with a cell that could not
    be read, are held back by rules of their own.
    """
    version = [*contract.key, *([contract.cursor] if contract.cursor else [])]
    same = " and ".join(f'rows."{c}" is not distinct from repeated."{c}"' for c in version)
    listed = ", ".join(f'"{c}"' for c in version)
    whole = ", ".join(f'rows."{c.name}"' for c in contract.columns)
    readable = f"{CAST_ERRORS} is null"
    present = " and ".join([readable, *(f'"{c}" is not null' for c in contract.key)])
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=f"""
            with repeated as (
                select {listed} from {{batch}} where {present}
                group by {listed} having count(*) > 1
            ),
            contradicting as (
                select {", ".join(f'repeated."{c}"' for c in version)}
                from {{batch}} as rows inner join repeated on {same}
                where rows.{readable}
                group by {", ".join(f'repeated."{c}"' for c in version)}
                having count(distinct row({whole})) > 1
            )
            select rows.{ROW_NUMBER}
            from {{batch}} as rows inner join contradicting as repeated on {same}
            where rows.{readable}
        """,
        **_named("key:unique"),
    )


def _fits_type(name: str) -> Any:
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=(
            f"select {ROW_NUMBER} from {{batch}}"
            f" where {CAST_ERRORS} is not null and {_names_cell(name)}"
        ),
        **_named(f"{name}:type"),
    )


def _names_cell(name: str) -> str:
    return f"list_contains(json_keys({CAST_ERRORS}), '{name}')"


def _named(rule: str) -> dict[str, Any]:
    why = _WHY[rule.rpartition(":")[2]]
    return {"severity": CRITICAL, "meta": {"rule": rule}, "description": why}
