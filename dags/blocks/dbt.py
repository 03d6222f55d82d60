"""dbt, layer by layer, in the process of the task: imported once, parsed once.

In: the settings, variables, and the list of layers. Out: seconds per layer; a `WarehouseError` that
names model and test when something fails. Touches: the working file and `<home>/dbt`.

dbt's own messages may quote a cell ("Could not convert string 'x'"), so they go to the log file of
the restricted zone only; ours name the node and the count.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kehu.errors import WarehouseError
from kehu.settings import Settings

log = logging.getLogger(__name__)

LAYERS: Mapping[str, tuple[str, ...]] = {
    "seeds": ("resource_type:seed",),
    "staging": ("path:models/staging",),
    "identity": ("path:models/identity",),
    "core": ("path:models/core",),
    "metrics": ("path:models/metrics",),
    "schemes": ("path:models/schemes",),
    "marts": ("path:models/customer", "path:models/value", "path:models/credit"),
    "serving": ("path:models/serving",),
}
"""Layers in order, and what dbt selects for each."""


def build(settings: Settings, variables: Mapping[str, Any]) -> dict[str, float]:
    """Build and test every layer in order; stop at the first that fails."""
    seconds: dict[str, float] = {}
    with _runner() as runner:
        for layer, selection in LAYERS.items():
            began = time.monotonic()
            outcome = runner.invoke(_arguments(settings, variables, selection))
            seconds[layer] = round(time.monotonic() - began, 2)
            _check(layer, outcome, settings)
            log.info("%s: %s in %.1f s", layer, _summary(outcome.result), seconds[layer])
    return seconds


def _arguments(
    settings: Settings, variables: Mapping[str, Any], selection: Sequence[str]
) -> list[str]:
    return [
        "build",
        "--quiet",
        "--no-use-colors",
        "--log-level",
        "none",
        "--log-level-file",
        "info",
        "--no-send-anonymous-usage-stats",
        "--no-version-check",
        "--project-dir",
        str(settings.dbt_project),
        "--profiles-dir",
        str(settings.dbt_project),
        "--target-path",
        str(settings.dbt_target),
        "--log-path",
        str(settings.dbt_target.parent / "logs"),
        "--vars",
        json.dumps(dict(variables)),
        # A test runs in the layer in which the last of the models it reads is built.
        "--indirect-selection",
        "buildable",
        "--select",
        *selection,
    ]


@contextmanager
def _runner() -> Iterator[Any]:
    """A dbt runner; afterwards the working file is closed, so that other code can open it."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    try:
        yield dbtRunner()
    finally:
        DuckDBConnectionManager.close_all_connections()


def _check(layer: str, outcome: Any, settings: Settings) -> None:
    if outcome.success:
        return
    log_file = settings.dbt_target.parent / "logs" / "dbt.log"
    failed = [
        result
        for result in getattr(outcome.result, "results", None) or []
        if str(result.status) in ("error", "fail", "runtime error")
    ]
    if not failed:
        kind = type(outcome.exception).__name__ if outcome.exception else "unknown"
        raise WarehouseError(
            f"dbt cannot run layer {layer}: {kind}.",
            where=str(settings.dbt_project),
            do=f"read the end of {log_file} (restricted)",
        ) from None
    raise WarehouseError(
        f"Layer {layer} failed: " + "; ".join(_sentence(result) for result in failed[:10]),
        where=", ".join(sorted({result.node.original_file_path for result in failed})),
        do=f"read {log_file} (restricted); the failing query is under {settings.dbt_target}",
    )


def _sentence(result: Any) -> str:
    node = result.node
    if node.resource_type == "test":
        names = [name.split(".")[-1] for name in node.depends_on.nodes]
        on = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if result.failures is None:
            return f"test {node.name} on {on} could not run"
        return f"test {node.name} on {on} found {result.failures} rows"
    return f"{node.resource_type} {node.name} could not be built"


def _summary(result: Any) -> str:
    kinds: dict[str, int] = {}
    for one in getattr(result, "results", None) or []:
        kinds[str(one.node.resource_type)] = kinds.get(str(one.node.resource_type), 0) + 1
    return ", ".join(f"{count} {kind}s" for kind, count in sorted(kinds.items())) or "nothing"
