"""dbt on the project of this clone, in this process, as `dags` runs it.

In: a dbt command and settings. Out: what dbt returns. Touches: the working file of the settings,
which is closed afterwards so that other code can open it.
"""

from __future__ import annotations

from typing import Any

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from kehu.settings import Settings


def dbt(command: str, *options: str, settings: Settings) -> Any:
    """Run one command."""
    project, target = str(settings.dbt_project), settings.dbt_target
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_WORK_FILE", str(settings.work_file))
        environment.setenv("DO_NOT_TRACK", "1")
        try:
            return dbtRunner().invoke(
                [
                    *(command, "--quiet", "--no-version-check", "--no-use-colors"),
                    *("--project-dir", project, "--profiles-dir", project),
                    *("--target-path", str(target), "--log-path", str(target.parent / "logs")),
                    *options,
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
