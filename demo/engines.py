"""Opening a source system's database by its URL: SQLite, PostgreSQL or MariaDB.

In: a system's URL. Out: an open `Target`. Touches what the `Target` touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from demo.mysql import MysqlTarget
from demo.postgres import PostgresTarget
from demo.sqlite import SqliteTarget
from demo.targets import Target, parse
from kehu.errors import SourceError

_ENGINES: Mapping[str, Callable[..., Target]] = {
    "sqlite": SqliteTarget,
    "postgresql": PostgresTarget,
    "mysql": MysqlTarget,
}


@contextmanager
def opened(system: str, url: str, *, rebuild: bool) -> Iterator[Target]:
    """The database at `url`: new and empty beside the old one with `rebuild` where the engine
    allows it, otherwise as it is. Driver errors become `SourceError` without values."""
    address = parse(system, url)
    try:
        target: Target = _ENGINES[address.engine](system, address, rebuild=rebuild)
        try:
            yield target
        finally:
            target.close()
    except SourceError:
        raise
    except Exception as error:
        if not _is_driver_error(error):
            raise
        raise SourceError(
            f"The source system {system} refused: {_first_line(error)}",
            where=address.shown,
            do="check that the server runs, that user and password are right and may create "
            "tables, and that the disk has room; then run the command again",
        ) from error


def _is_driver_error(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__.split(".")[0] in (
        "sqlite3",
        "psycopg2",
        "pymysql",
        "duckdb",
        "_duckdb",
    )


def _first_line(error: Exception) -> str:
    """The first line of a driver's message: the rest may quote rows."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
