"""Arrow as it is: its stubs know fewer combinations than Arrow itself.

In: nothing. Out: names under which the other modules make tables. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow
import pyarrow.compute

pc: Any = pyarrow.compute
schema_of: Any = pyarrow.schema
table_of: Callable[..., pyarrow.Table] = pyarrow.table


def numbers_by_name(settings: pyarrow.Table) -> dict[str, float]:
    """Rows of `statistics.model_settings`."""
    rows: list[Any] = settings.to_pylist()
    return {row["setting"]: float(row["value"]) for row in rows}


Column = Any
"""A column of a table, in one piece or several."""
