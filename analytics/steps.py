"""Which statistics run between the layers of dbt: what each reads, what it makes.

In: nothing. Out: `STEPS`. Touches nothing; a function is imported when its step runs.

A step is a pure function: Arrow tables by name and the as-of dates in, Arrow tables by name out.
Its tables lie in the schema `analytics`; dbt reads them as sources, whose columns stand in
`dbt_project/models/statistics/_analytics__sources.yml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

import pyarrow as pa

SCHEMA = "analytics"


@dataclass(frozen=True)
class Step:
    """One computation. `reads`: argument of the function to `<schema>.<table>` of the warehouse."""

    name: str
    after: str
    """The layer of dbt that has what it reads."""
    reads: Mapping[str, str]
    makes: Sequence[str]
    """Tables of the schema `analytics`; the function returns each of them, empty or not."""
    function: str
    """`<module>:<function>`, called as `function(as_of_dates, **tables)`."""

    def run(
        self, as_of_dates: Sequence[date], tables: Mapping[str, pa.Table]
    ) -> Mapping[str, pa.Table]:
        """Call the function; raises `ValueError` when it makes other tables than the step says."""
        module, _, name = self.function.partition(":")
        function: Any = getattr(import_module(module), name)
        made: Mapping[str, pa.Table] = function(as_of_dates, **tables)
        if set(made) != set(self.makes):
            raise ValueError(f"{self.function} makes {sorted(made)}, not {sorted(self.makes)}")
        return made


STEPS: tuple[Step, ...] = (
    Step(
        name="cycle_regression",
        after="metrics",
        reads={"observations": "value.int_cycle_observations"},
        makes=["cycle_regression"],
        function="analytics.cycle_regression:regress",
    ),
)
