"""The one place that opens DuckDB for the warehouse.

In: settings or the path of a published file. Out: context managers that give a connection and
close it. Touches the working file, its folder and its temporary folder; sets the umask while a
file may be made, so that everything is 0600 in folders of 0700.

DuckDB lets one process write and shuts out all others meanwhile, so every open waits for the lock
with a growing pause and gives up with a message that names the holder.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb  # noqa: TID251 - this is the module that may

from extract import landing
from kehu.errors import WarehouseError
from kehu.settings import Settings

Connection = duckdb.DuckDBPyConnection
Error = duckdb.Error
DataError = duckdb.DataError

LOCK_WAIT_SECONDS = 180.0
STORAGE_VERSION = "v1.4.0"
"""Of published files: the oldest DuckDB that BI tools are expected to bring."""

T = TypeVar("T")


class DamagedError(WarehouseError):
    """A DuckDB file does not hold what was written to it."""


_LOCKED = "Could not set lock"
_DAMAGE = (
    "Corrupt database file",
    "Could not read enough bytes",
    "not a valid DuckDB database file",
    "database has been invalidated",
)
_HOLDER = re.compile(r"Conflicting lock is held in (.+?) \(PID (\d+)\)")


@contextmanager
def write(settings: Settings, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[Connection]:
    """The working file, to write; made when it does not exist."""
    path = settings.work_file
    landing.make_private(path.parent)
    with _private():
        connection = _open(path, read_only=False, wait_seconds=wait_seconds)
        try:
            _configure(connection, path.parent / "tmp", settings)
            yield connection
        finally:
            connection.close()


@contextmanager
def read(settings: Settings, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[Connection]:
    """The working file, to read only. Shuts out the writer meanwhile, so be short."""
    path = _existing(settings.work_file)
    with _private():
        connection = _open(path, read_only=True, wait_seconds=wait_seconds)
        try:
            _configure(connection, path.parent / "tmp", settings)
            yield connection
        finally:
            connection.close()


@contextmanager
def read_published(path: Path) -> Iterator[Connection]:
    """A published file: read-only, without access to files or network, settings locked.

    The link is resolved first: inside one process DuckDB would otherwise answer from the file
    that the link named when it was opened the first time.
    """
    connection = _open_published(path)
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


@contextmanager
def publishing(
    settings: Settings, target: Path, wait_seconds: float = LOCK_WAIT_SECONDS
) -> Iterator[tuple[Connection, str]]:
    """A connection with the working file attached read-only, and a new file `target` as `new`.

    Gives also the name of the working file's catalog: views inside it use that name.
    """
    source = _existing(settings.work_file)
    with _private():
        connection = duckdb.connect(":memory:")
        try:
            _configure(connection, source.parent / "tmp", settings)
            attach = f"attach '{_sql(source)}' as \"{source.stem}\" (read_only)"
            _waiting(lambda: connection.execute(attach), source, wait_seconds)
            connection.execute(
                f"attach '{_sql(target)}' as new (storage_version '{STORAGE_VERSION}')"
            )
            yield connection, source.stem
        finally:
            connection.close()


@contextmanager
def held(
    settings: Settings, wait_seconds: float = LOCK_WAIT_SECONDS
) -> Iterator[Connection | None]:
    """Shut out every other process while the working file is about to be replaced.

    Gives None when there is no file, or one so damaged that nobody can open it. What was written
    ahead of the file is in it afterwards, so that nothing of the old one reaches the new one.
    """
    connection = None
    with _private(), ExitStack() as last:
        if settings.work_file.is_file():
            try:
                connection = _open(settings.work_file, read_only=False, wait_seconds=wait_seconds)
                last.callback(connection.close)
                connection.execute("checkpoint")
            except DamagedError:
                connection = None
            except duckdb.Error as error:
                if not is_damage(error):
                    raise
                connection = None
        yield connection


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB found that the file does not hold what was written."""
    return any(sign in str(error) for sign in _DAMAGE)


def damaged(path: Path) -> DamagedError:
    """The error of a file that is not what was written."""
    return DamagedError(
        "The file is damaged: it does not hold what was written.",
        where=str(path),
        do="keep it aside, look at the disk; restore the newest backup "
        "(`python -m warehouse restore`), or rebuild from landing (`python -m warehouse rebuild`)",
    )


def storage_version(path: Path) -> str:
    """The storage version that DuckDB reads from the file, such as `v1.4.0+`."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{_sql(path.resolve())}' as checked (read_only)")
        found = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = 'checked'"
        ).fetchone()
    return str(found[0]) if found else ""


def _open(path: Path, *, read_only: bool, wait_seconds: float) -> Connection:
    return _waiting(lambda: duckdb.connect(str(path), read_only=read_only), path, wait_seconds)


def _open_published(path: Path) -> Connection:
    """Open what the link names now; an old version may be swept away between the two steps."""
    config: dict[str, str | bool | int | float | list[str]] = {"enable_external_access": False}
    for _ in range(5):
        real = path.resolve()
        if real.is_file():
            try:
                return duckdb.connect(str(real), read_only=True, config=config)
            except duckdb.IOException as error:
                if is_damage(error):
                    raise damaged(real) from None
                if real.exists():
                    raise
    raise WarehouseError(
        "There is no published file.",
        where=str(path),
        do="publish first: run the pipeline, or `python -m warehouse publish`",
    )


def _waiting(action: Callable[[], T], path: Path, wait_seconds: float) -> T:
    """Do `action`, again and again while another process holds the lock of `path`."""
    deadline, pause = time.monotonic() + wait_seconds, 0.05
    while True:
        try:
            return action()
        except duckdb.IOException as error:
            if is_damage(error):
                raise damaged(path) from None
            if _LOCKED not in str(error):
                raise _refused(path, error) from error
            if time.monotonic() + pause > deadline:
                raise _locked(path, str(error), wait_seconds) from None
        except duckdb.ConnectionException as error:
            raise WarehouseError(
                "This process has the warehouse file open in another mode.",
                where=f"{path} (PID {os.getpid()})",
                do="close the other connection first; open it in short blocks only",
            ) from error
        time.sleep(pause)
        pause = min(pause * 1.6, 2.0)


def _locked(path: Path, message: str, waited: float) -> WarehouseError:
    holder = _HOLDER.search(message)
    process = f"PID {holder[2]} ({holder[1]})" if holder else "another process"
    return WarehouseError(
        f"The warehouse file is held by {process}; waited {waited:g} seconds.",
        where=str(path),
        do="wait for that process or end it, then run the task again",
    )


def _refused(path: Path, error: Exception) -> WarehouseError:
    reason = str(error).splitlines()[0]
    return WarehouseError(
        f"The warehouse file cannot be opened: {reason}",
        where=str(path),
        do="correct rights or space; restore a backup, or rebuild it from landing",
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise WarehouseError(
            "The warehouse file does not exist yet.",
            where=str(path),
            do="run `python -m warehouse init`, or load a first batch",
        )
    return path


def _configure(connection: Connection, temporary: Path, settings: Settings) -> None:
    """UTC, threads, and what does not fit into memory goes beside the data."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set temp_directory = '{_sql(temporary)}'")
    connection.execute(f"set memory_limit = '{settings.memory}'")
    connection.execute(f"set threads = {settings.threads}")
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set enable_progress_bar = false")


@contextmanager
def _private() -> Iterator[None]:
    """New files are for the owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")
