"""dbt, layer by layer, in the process of the task: imported once, parsed once.

In: the settings, as-of dates, the engine. Out: seconds per layer; a `WarehouseError` that names
model and test when something fails. Touches: the engine's tables and `<home>/dbt`.

dbt's own messages may quote a cell ("Could not convert string 'x'"), so they go to the log file of
the restricted zone only; ours name the node and the count. A node whose text holds no cell, such as
the laws of the seeds, says so with `meta.message_is_public` and is quoted.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dags.environment import set_during
from kehu.errors import WarehouseError
from kehu.settings import Settings

if TYPE_CHECKING:
    from warehouse.engines import Engine

log = logging.getLogger(__name__)

LAYERS: Mapping[str, tuple[str, ...]] = {
    "staging": ("staging",),
    "records": ("records",),
    "identity": ("identity",),
    "core": ("core",),
    "metrics": ("metrics",),
    "schemes": ("schemes",),
    "statistics": ("statistics",),
    "marts": ("customer", "value", "credit", "sales"),
    "serving": ("serving",),
}
"""Layers in order, after the seeds and before the snapshots, and the folders of models in each."""


_TESTS_OF_DATA = (
    # Tests are selected by name: dbt's own ways lose those that read models of two layers.
    "--indirect-selection",
    "empty",
    # Unit tests judge the code, not the data: `make test` runs them, not every round.
    "--exclude-resource-type",
    "unit_test",
)


def build(
    settings: Settings,
    as_of_dates: Sequence[str],
    engine: Engine | None = None,
    after: Callable[[str], dict[str, float]] = lambda layer: {},
) -> dict[str, float]:
    """Build and test the seeds, then every layer in order; stop at the first that fails.

    On `engine`, or in the working file when none is given. `after` is called with each layer that
    was built, while dbt has nothing open; it gives seconds per step of its own.
    """
    seconds: dict[str, float] = {}
    with _runner(settings, as_of_dates, engine) as (manifest, run):
        for layer, names in selections(manifest).items():
            began = time.monotonic()
            outcome = run("build", *_TESTS_OF_DATA, "--select", *names)
            seconds[layer] = round(time.monotonic() - began, 2)
            _check(f"layer {layer}", outcome, settings)
            log.info("%s: %s in %.1f s", layer, _summary(outcome.result), seconds[layer])
            _close_working_file()
            seconds |= after(layer)
    return seconds


def selections(manifest: Any) -> dict[str, list[str]]:
    """What dbt selects per layer: seeds, models and tests of data; at the end the snapshots.

    A test runs in the layer in which the last of what it reads is built.
    """
    folders = {folder: layer for layer, names in LAYERS.items() for folder in names}
    order = ["seeds", *LAYERS, "snapshots"]

    def layer_of(node: Any) -> str:
        if node.resource_type != "model":
            return f"{node.resource_type}s"
        if node.fqn[1] not in folders:
            raise WarehouseError(
                f"The model {node.name} lies in no layer.",
                where=node.original_file_path,
                do=f"move it below models/ into one of: {', '.join(folders)}",
            )
        return folders[node.fqn[1]]

    # Seeds not by name: `schemes` is a seed and a folder of models.
    chosen: dict[str, list[str]] = {layer: [] for layer in order}
    chosen["seeds"] = ["resource_type:seed"]
    built = {
        key: layer_of(node)
        for key, node in manifest.nodes.items()
        if node.resource_type in ("seed", "model", "snapshot")
    }
    for key, node in manifest.nodes.items():
        if built.get(key, "seeds") != "seeds":
            chosen[built[key]].append(node.name)
        elif node.resource_type == "test":
            read = [built[parent] for parent in node.depends_on.nodes if parent in built]
            chosen[max(read, key=order.index, default="staging")].append(node.name)
    return {layer: names for layer, names in chosen.items() if names}


@contextmanager
def _runner(
    settings: Settings, as_of_dates: Sequence[str], engine: Engine | None = None
) -> Iterator[tuple[Any, Callable[..., Any]]]:
    """The parsed project, and a function that runs a dbt command on it.

    Afterwards the working file is closed, so that other code of this process can open it.
    """
    from dbt.cli.main import dbtRunner

    target, project = settings.dbt_target, str(settings.dbt_project)
    # The macro as_of_dates() says why these are not a variable.
    days = {"KEHU_DBT_AS_OF_DATES": " ".join(as_of_dates)}
    variables = {"reporting_currency": settings.reporting_currency}
    quiet = ["--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "info"]
    quiet += ["--no-send-anonymous-usage-stats", "--no-version-check"]
    # Absolute, whoever calls: dbt's parse cache holds paths.
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
    places += ["--log-path", str(_log_file(settings).parent), "--vars", json.dumps(variables)]
    places += ["--target", engine.dbt_target if engine else "duckdb"]

    def run(runner: Any, command: str, *arguments: str) -> Any:
        return runner.invoke([*quiet, command, *places, *arguments])

    try:
        with set_during(days | (dict(engine.dbt_environment) if engine else {})):
            parsed = run(dbtRunner(), "parse")
            _check("the project", parsed, settings)
            # Macros that look at the graph need it; dbt builds it only when it parses by itself.
            parsed.result.build_flat_graph()
            yield parsed.result, partial(run, dbtRunner(manifest=parsed.result))
    finally:
        _close_working_file()


def _close_working_file() -> None:
    """Does nothing where dbt had it not open."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _log_file(settings: Settings) -> Path:
    return settings.dbt_target.parent / "logs" / "dbt.log"


def _check(what: str, outcome: Any, settings: Settings) -> None:
    if outcome.success:
        return
    log_file = _log_file(settings)
    failed = [
        result
        for result in getattr(outcome.result, "results", None) or []
        if str(result.status) in ("error", "fail", "runtime error")
    ]
    if not failed:
        kind = type(outcome.exception).__name__ if outcome.exception else "unknown"
        raise WarehouseError(
            f"dbt cannot run {what}: {kind}.",
            where=str(settings.dbt_project),
            do=f"read the end of {log_file} (restricted)",
        ) from None
    raise WarehouseError(
        f"dbt failed at {what}: " + "; ".join(_sentence(result) for result in failed[:10]),
        where=", ".join(sorted({result.node.original_file_path for result in failed})),
        do=f"read {log_file} (restricted); the failing query is under {settings.dbt_target}",
    )


def _sentence(result: Any) -> str:
    node = result.node
    if result.message and node.config.meta.get("message_is_public"):
        return str(result.message).strip()
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
