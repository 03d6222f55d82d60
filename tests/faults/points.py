"""Points at which a process kills itself: before each step that lasts, counted from 1.

In: the number of the step to die at, a file for the names of the steps. Out: nothing; the functions
through which the stages reach the disk, DuckDB, Parquet and the source are wrapped, in this process
only. Production code knows nothing of it. Touches the file of names.

Between two of these steps nothing outside the process changes, so to die before each of them is to
die everywhere it makes a difference.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

LASTING = ("fsync", "rename", "replace", "unlink", "symlink", "link", "rmdir")
"""Calls of the system after which something is on the disk, has another name, or is gone."""


class Points:
    """Counts steps, notes their names, and dies before the one it was told."""

    def __init__(self, names: Path, die_at: int | None, signal_number: int = signal.SIGKILL):
        self._out = os.open(names, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._die_at, self._signal, self._count = die_at, signal_number, 0
        self._lock = threading.Lock()

    def reach(self, name: str) -> None:
        with self._lock:
            self._count += 1
            os.write(self._out, f"{name}\n".encode())
            if self._count == self._die_at:
                os.kill(os.getpid(), self._signal)

    def before(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def stepped(*given: Any, **named: Any) -> Any:
            shown = [Path(each).name for each in given if isinstance(each, str | Path)]
            self.reach(f"{name} {shown[-1]}" if shown else name)
            return function(*given, **named)

        return stepped

    def install(self) -> None:
        """Wrap what the stages use; imports them."""
        import pyarrow.parquet as pq

        from extract.connectors import base
        from warehouse import connection

        for name in LASTING:
            setattr(os, name, self.before(getattr(os, name), name))
        for name in ("write_table", "write_batch", "close"):
            wrapped = self.before(getattr(pq.ParquetWriter, name), f"parquet {name}")
            setattr(pq.ParquetWriter, name, wrapped)
        base.parse_lines = self.before(base.parse_lines, "read")  # type: ignore[assignment]
        connection.duckdb = _Duckdb(connection.duckdb, self)  # type: ignore[assignment]

    def install_in_dbt(self, fail_on: str = "") -> None:
        """Wrap the statements that dbt sends; those of a model named so fail."""
        from dbt.adapters.sql import SQLConnectionManager
        from dbt_common.exceptions import DbtDatabaseError

        send = SQLConnectionManager.add_query

        def stepped(manager: Any, sql: str, *given: Any, **named: Any) -> Any:
            name = str(manager.get_thread_connection().name)
            self.reach(f"dbt {name}")
            if fail_on and name == f"model.kehu.{fail_on}":
                raise DbtDatabaseError("the statement was made to fail")
            return send(manager, sql, *given, **named)

        SQLConnectionManager.add_query = stepped


class _Duckdb:
    """DuckDB's module, with connections that count their statements."""

    def __init__(self, module: Any, points: Points) -> None:
        self._module, self._points = module, points

    def connect(self, *given: Any, **named: Any) -> _Connection:
        return _Connection(self._module.connect(*given, **named), self._points)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Connection:
    def __init__(self, connection: Any, points: Points) -> None:
        self._connection, self._points = connection, points

    def execute(self, sql: str, *given: Any) -> Any:
        self._points.reach(f"sql {' '.join(sql.split()[:4])}")
        return self._connection.execute(sql, *given)

    def close(self) -> None:
        self._points.reach("sql close")
        self._connection.close()

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
