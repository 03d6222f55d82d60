"""Finished marts of a cluster, as DuckDB sees them: with the types that the models promise.

In: an engine, dbt's manifest of the last build. Out: a catalog of views over exported Parquet
files. Touches the lake. Every mart has an enforced contract, so its YAML names each column's type;
the types of DuckDB and Spark differ in widths only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted

MART_SCHEMAS = ("customer", "value", "credit", "sales")
"""Schemas of the tables that readers get."""


class Exporting(Protocol):
    """What is needed of an engine."""

    def export(self, table: str, folder: Path) -> list[Path]: ...


def attach(con: Connection, settings: Settings, engine: Exporting, folder: Path) -> str:
    """Attach a catalog `marts`: a view per mart over its files below `folder`."""
    con.execute("attach ':memory:' as marts")
    for node in _marts(settings):
        schema, name = node["schema"], node["name"]
        files = engine.export(f"{schema}.{name}", folder)
        con.execute(f"create schema if not exists marts.{quoted(schema)}")
        con.execute(f"create view marts.{quoted(schema)}.{quoted(name)} as {_select(node, files)}")
    return "marts"


def _marts(settings: Settings) -> Iterator[dict[str, Any]]:
    path = settings.dbt_target / "manifest.json"
    try:
        nodes = json.loads(path.read_bytes())["nodes"].values()
    except FileNotFoundError:
        raise WarehouseError(
            "There is no manifest of a build, so nothing tells which marts there are.",
            where=str(path),
            do="build the marts first",
        ) from None
    for node in nodes:
        # models that begin with int_ are steps, not for readers
        if (
            node["resource_type"] == "model"
            and node["schema"] in MART_SCHEMAS
            and not node["name"].startswith("int_")
        ):
            yield node


def _select(node: dict[str, Any], files: list[Path]) -> str:
    columns = {
        column["name"]: column["data_type"]
        for column in node["columns"].values()
        if node["config"]["contract"]["enforced"] and column["data_type"]
    }
    if not columns or len(columns) < len(node["columns"]):
        raise WarehouseError(
            f"The model {node['name']} does not promise the types of its columns.",
            where=node["original_file_path"],
            do="give each column a data_type, and `contract: {enforced: true}`",
        )
    if not files:
        empty = ", ".join(f"cast(null as {kind}) as {quoted(n)}" for n, kind in columns.items())
        return f"select {empty} where false"
    listed = ", ".join(
        f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in columns.items()
    )
    paths = ", ".join(literal(str(path)) for path in files)
    return f"select {listed} from read_parquet([{paths}])"
