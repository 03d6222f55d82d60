"""A part of the dbt project in a folder of its own, with made-up rows where the rest would be.

In: which folders of models to take, and SQL for the models that stand in for the others. Out: a
project that dbt runs in this process on a DuckDB file in that folder. Touches nothing else.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from kehu.settings import CLONE

PROJECT = CLONE / "dbt_project"
_READ: dict[str, Any] = {}
"""Projects that dbt has read in this process, by what they say."""


@dataclass(frozen=True)
class ScratchWarehouse:
    """A project folder with its database file."""

    folder: Path

    @classmethod
    def make(
        cls, folder: Path, layers: Iterable[str], stand_ins: Mapping[str, str]
    ) -> ScratchWarehouse:
        """Copy macros, seeds of schemes and rates, and `layers`; write `stand_ins` as views."""
        (folder / "models" / "core").mkdir(parents=True)
        shutil.copytree(PROJECT / "macros", folder / "macros")
        for seeds in ("schemes", "value", "credit", "sales", "statistics"):
            shutil.copytree(PROJECT / "seeds" / seeds, folder / "seeds" / seeds)
        shutil.copytree(PROJECT / "tests" / "generic", folder / "tests" / "generic")
        for rates in (PROJECT / "seeds").glob("*exchange_rates*"):
            shutil.copy(rates, folder / "seeds")
        for layer in layers:
            shutil.copytree(
                PROJECT / "models" / layer,
                folder / "models" / layer,
                ignore=shutil.ignore_patterns("*__unit_tests.yml", "*__exposures.yml"),
            )
        for name, query in stand_ins.items():
            path = folder / "models" / "core" / f"{name}.sql"
            path.write_text(f"{{{{ config(materialized='view') }}}}\n{query}\n", encoding="utf-8")
        shutil.copy(PROJECT / "dbt_project.yml", folder)
        warehouse = cls(folder)
        warehouse._write_profile()
        return warehouse

    def copy(self, folder: Path) -> ScratchWarehouse:
        """The same project with the same rows, to go its own way from here."""
        shutil.copytree(self.folder, folder)
        warehouse = ScratchWarehouse(folder)
        warehouse._write_profile()
        return warehouse

    def write_rows(self, seed: str, *rows: str) -> None:
        """Add rows to a seed of the schemes."""
        path = self.folder / "seeds" / "schemes" / f"{seed}.csv"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in rows)

    def _write_profile(self) -> None:
        (self.folder / "profiles.yml").write_text(
            "kehu: {target: here, outputs: {here: {type: duckdb, schema: core, threads: 1,"
            f" path: '{self.folder / 'work.duckdb'}', settings: {{threads: 1}}}}}}}}\n",
            encoding="utf-8",
        )

    def columns(self, model: str) -> list[tuple[str, str]]:
        """Names and types of a model as its YAML promises them."""
        for path in sorted((PROJECT / "models").rglob("*__models.yml")):
            for one in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                if one["name"] == model:
                    return [(column["name"], column["data_type"]) for column in one["columns"]]
        raise KeyError(model)

    def dbt(self, *arguments: str, as_of_dates: Sequence[str] = ("2026-01-31",)) -> Any:
        """Run dbt here; the outcome, with the database closed again."""
        variables = {"as_of_dates": list(as_of_dates), "reporting_currency": "CNY"}
        places = [
            *("--project-dir", str(self.folder), "--profiles-dir", str(self.folder)),
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs"), "--vars", json.dumps(variables)),
        ]
        quiet = ["--quiet", "--no-version-check", "--no-send-anonymous-usage-stats"]
        manifest = self._manifest([*quiet, "parse", *places], variables)
        outcome = dbtRunner(manifest=manifest).invoke([*quiet, *arguments, *places])
        DuckDBConnectionManager.close_all_connections()
        return outcome

    def _manifest(self, parse: Sequence[str], variables: Mapping[str, Any]) -> Any:
        """The project as dbt reads it: once for all copies that say the same, whatever the day.

        A snapshot alone is stamped with its day when it is read, so one is read for each day. Rows
        of seeds are read when they are loaded, from here. None when dbt refuses the project: then
        the command itself says why.
        """
        said = hashlib.sha256()
        if (self.folder / "snapshots").exists():
            said.update(json.dumps(variables).encode())
        for part in ("models", "snapshots", "macros", "seeds", "tests", "dbt_project.yml"):
            for path in sorted([self.folder / part, *(self.folder / part).rglob("*")]):
                if path.is_file():
                    said.update(f"{path.relative_to(self.folder)}\n".encode())
                    said.update(b"" if path.suffix == ".csv" else path.read_bytes())
        if (key := said.hexdigest()) not in _READ:
            manifest = dbtRunner().invoke(list(parse)).result
            if manifest is not None:
                manifest.build_flat_graph()
            _READ[key] = manifest
        for node in _READ[key].nodes.values() if _READ[key] else ():
            if node.resource_type == "seed":
                node.root_path = str(self.folder)
        return _READ[key]

    def build(self, *arguments: str, as_of_dates: Sequence[str] = ("2026-01-31",)) -> None:
        """Run dbt build and fail with dbt's own words when it does not succeed."""
        outcome = self.dbt("build", *arguments, as_of_dates=as_of_dates)
        results = getattr(outcome.result, "results", None) or []
        failed = [
            f"{result.node.name}: {result.message}"
            for result in results
            if str(result.status) not in ("success", "pass", "no-op")
        ]
        assert outcome.success, outcome.exception or "\n".join(failed)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        import duckdb

        with duckdb.connect(str(self.folder / "work.duckdb")) as connection:
            return connection.sql(sql).fetchall()

    def execute(self, *statements: str) -> None:
        """Run statements, such as those that make the rows the stand-ins read."""
        import duckdb

        with duckdb.connect(str(self.folder / "work.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)
