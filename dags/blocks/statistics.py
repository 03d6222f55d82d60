"""Statistics between two layers of dbt, in the process of the task and on its engine.

In: an engine, the layer that was just built, the as-of dates. Out: seconds per step. Touches the
schema `analytics` of the engine. dbt must not hold the working file open meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import date

from analytics.steps import SCHEMA, STEPS, Step
from kehu.errors import KehuError, WarehouseError
from warehouse.engines import Engine

log = logging.getLogger(__name__)


def run_after(
    layer: str, engine: Engine, as_of_dates: Sequence[date], steps: Sequence[Step] = STEPS
) -> dict[str, float]:
    """Run the steps that follow `layer`; gives seconds per step.

    Raises `WarehouseError` that names the step. What other exceptions say may quote a cell, so only
    their kind is told; the traceback goes to the restricted log.
    """
    seconds: dict[str, float] = {}
    for step in steps:
        if step.after == layer:
            began = time.monotonic()
            _run(step, engine, as_of_dates)
            seconds[step.name] = round(time.monotonic() - began, 2)
            log.info("%s: %.1f s", step.name, seconds[step.name])
    return seconds


def _run(step: Step, engine: Engine, as_of_dates: Sequence[date]) -> None:
    tables = {}
    for argument, table in step.reads.items():
        with engine.read(table) as batches:
            tables[argument] = batches.read_all()
    try:
        made = step.run(as_of_dates, tables)
    except KehuError:
        raise
    except Exception as error:
        log.debug("%s", step.name, exc_info=True)
        raise WarehouseError(
            f"The statistics {step.name} failed: {type(error).__name__}.",
            where=f"{step.function}, after layer {step.after}",
            do="run it alone on a copy of its tables to see the values "
            f"({', '.join(step.reads.values())}); readers keep the last publication",
        ) from None
    for name, rows in made.items():
        engine.write(f"{SCHEMA}.{name}", rows)
