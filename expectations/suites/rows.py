"""One rule about the cells of one row, in words and SQL: what the hand-written suites are made of.

In: the condition under which a row is wrong. Out: a Great Expectations expectation that finds such
rows. A condition that is unknown (a NULL takes part) is no offence: whether a cell may be empty is
the contract's business.
"""

from __future__ import annotations

from typing import Any

from expectations.engine import CRITICAL, ROW_NUMBER, ExpectQueryToReturnNoRows
from extract.landing import CAST_ERRORS


def wrong_when(rule: str, condition: str, why: str, *, severity: str = CRITICAL) -> Any:
    """The rule named `rule` is broken by each row for which the SQL `condition` holds.

    Rows with a cell that could not be read are held back for that already and not judged here.
    """
    escaped = condition.replace("{", "{{").replace("}", "}}")
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=(
            f"select {ROW_NUMBER} from {{batch}} where {CAST_ERRORS} is null and ({escaped})"
        ),
        severity=severity,
        meta={"rule": rule},
        description=why,
    )
