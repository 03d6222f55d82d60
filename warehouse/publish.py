"""Publish: a new file beside the old one, audited, then switched by one rename.

In: the marts of the engine. Out: `published/kehu-<UTC>-<4 hex>.duckdb`, the same tables as
Parquet under `published/parquet/<version>/`, and the links `kehu.duckdb` and `parquet/current`.
Touches the published folder; notes the version in `ops.runs`.

Everything is written under hidden names first. Whatever fails before the switch (a full disk, a
failed audit, a kill) leaves the last publication as it was; what a kill left is swept by the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extract import landing
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import books, connection, engines
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted
from warehouse.engines import Engine
from warehouse.engines.marts import MART_SCHEMAS
from warehouse.hashes import table_hashes

__all__ = ["KEPT_VERSIONS", "MART_SCHEMAS", "publish", "table_hashes", "versions"]

OPS_TABLES = ("runs", "reconciliation", "stage_seconds")
KEPT_VERSIONS = 3

_HIDDEN = ".unfinished-"
_STAMP = "%Y%m%dT%H%M%SZ"


def publish(
    settings: Settings,
    run_id: str,
    audit: Callable[[Path], object] | None = None,
    engine: Engine | None = None,
) -> Path:
    """Publish the marts as of `run_id`; gives the path of the new file.

    They are read from `engine`, opened as the settings say unless it is given. A publication with
    the same content as the last one is made all the same: it says that the data was looked at
    again and by which run. Nothing is published while the books of a source table do not add up,
    or its raw table is not what they say. `audit` gets the finished file before any reader does,
    and raises to refuse it.
    """
    with connection.read(settings) as con:
        books.check(con)
    folder = settings.published
    landing.make_private(folder / "parquet")
    with _only_publisher(folder):
        _sweep(folder)
        version = _next_version(folder, run_id)
        file = folder / f"{_HIDDEN}{version}.duckdb"
        parquet = folder / "parquet" / f"{_HIDDEN}{version}"
        try:
            with nullcontext(engine) if engine else engines.opened(settings) as opened:
                _copy(settings, opened, run_id, version, file, parquet)
            if audit is not None:
                audit(file)
            _settle(file, parquet)
            final = folder / f"{version}.duckdb"
            parquet.rename(folder / "parquet" / version)
            file.rename(final)
            _switch(settings.published_file, final.name)
            _switch(folder / "parquet" / "current", version)
        except (connection.Error, OSError) as error:
            raise _stopped(error, folder) from None
        finally:
            _sweep(folder)
            _prune(folder)
    _note(settings, run_id, version)
    return final


def versions(settings: Settings) -> list[Path]:
    """Published files, oldest first."""
    return sorted(settings.published.glob("kehu-*.duckdb"))


def _copy(
    settings: Settings, engine: Engine, run_id: str, version: str, file: Path, parquet: Path
) -> None:
    """Copy marts and three ops tables into `file`, and each table from there into `parquet`."""
    with (
        connection.publishing(settings, file) as (con, work),
        engine.attach_marts(con, work) as marts,
    ):
        tables = _tables(con, work, marts)
        con.execute("begin transaction")
        for catalog, schema, table in tables:
            con.execute(f"create schema if not exists new.{quoted(schema)}")
            select = _select(con, catalog, schema, table, run_id)
            try:
                con.execute(f"create table new.{quoted(schema)}.{quoted(table)} as {select}")
            except connection.DataError as error:
                # a mart that is a view is computed only here
                raise _not_computed(error, f"{schema}.{table}") from None
            _copy_comments(con, catalog, schema, table)
        con.execute(
            "update new.ops.runs set version = ?, status = 'success' where run_id = ?",
            [version, run_id],
        )
        con.execute("commit")
        con.execute("checkpoint new")
        for _, schema, table in tables:
            target = parquet / schema / f"{table}.parquet"
            landing.make_private(target.parent)
            con.execute(
                f"copy new.{quoted(schema)}.{quoted(table)} to {literal(str(target))}"
                " (format parquet, compression zstd)"
            )


def _tables(con: Connection, work: str, marts: str) -> list[tuple[str, str, str]]:
    """What is published, and from which catalog: every table and view of the mart schemas, and
    three ops tables."""
    found = con.execute(
        "select table_catalog, table_schema, table_name from information_schema.tables"
        " where (table_catalog = ? and list_contains(?, table_schema)"
        " or table_catalog = ? and table_schema = 'ops' and list_contains(?, table_name))"
        # left behind by a build that was killed
        " and not regexp_matches(table_name, '__dbt_(tmp|backup)')"
        # steps of the models, not for readers
        " and not starts_with(table_name, 'int_')"
        " order by table_schema, table_name",
        [marts, list(MART_SCHEMAS), work, list(OPS_TABLES)],
    ).fetchall()
    if not any(schema in MART_SCHEMAS for _, schema, _ in found):
        raise WarehouseError(
            "There are no marts to publish.",
            where=f"{work}: schemas {', '.join(MART_SCHEMAS)}",
            do="build the marts first",
        )
    return [(catalog, schema, table) for catalog, schema, table in found]


def _select(con: Connection, catalog: str, schema: str, table: str, run_id: str) -> str:
    """The rows with the run that published them; ops tables tell of many runs, in `run_id`."""
    source = f"{quoted(catalog)}.{quoted(schema)}.{quoted(table)}"
    if schema == "ops":
        return f"select * from {source}"
    names = [column[0] for column in con.execute(f"select * from {source} limit 0").description]
    kept = ", ".join(quoted(name) for name in names if name != "run_id")
    return f"select {kept}, {literal(run_id)} as run_id from {source}"


def _copy_comments(con: Connection, catalog: str, schema: str, table: str) -> None:
    """Readers see in their tool what a table and a column mean."""
    target = f"new.{quoted(schema)}.{quoted(table)}"
    place = [catalog, schema, table]
    where = "where database_name = ? and schema_name = ? and {} = ? and comment is not null"
    for kind, listed, name in (
        ("table", "duckdb_tables()", "table_name"),
        ("table", "duckdb_views()", "view_name"),
    ):
        for (comment,) in con.execute(
            f"select comment from {listed} {where.format(name)}", place
        ).fetchall():
            con.execute(f"comment on {kind} {target} is {literal(comment)}")
    for column, comment in con.execute(
        f"select column_name, comment from duckdb_columns() {where.format('table_name')}", place
    ).fetchall():
        con.execute(f"comment on column {target}.{quoted(column)} is {literal(comment)}")


def _next_version(folder: Path, run_id: str) -> str:
    """A name later than every name there is, also when clocks go back or two fall in a second.

    A publication that was killed may have left its Parquet folder without its file.
    """
    moment = datetime.now(UTC)
    known = (*folder.glob("kehu-*.duckdb"), *folder.glob("parquet/kehu-*"))
    stamps = [path.name.split("-")[1] for path in known]
    if stamps and (newest := max(stamps)) >= moment.strftime(_STAMP):
        moment = datetime.strptime(newest, _STAMP).replace(tzinfo=UTC) + timedelta(seconds=1)
    tail = hashlib.sha256(run_id.encode()).hexdigest()[:4]
    return f"kehu-{moment.strftime(_STAMP)}-{tail}"


def _settle(file: Path, parquet: Path) -> None:
    """Everything is on the disk before a reader may see it."""
    for path in (file, *sorted(parquet.rglob("*"))):
        path.chmod(0o700 if path.is_dir() else 0o600)
        landing.sync(path)
    landing.sync(parquet)


def _switch(link: Path, target: str) -> None:
    """Let `link` name `target`: one rename, so a reader finds the old or the new."""
    fresh = link.with_name(f"{_HIDDEN}{link.name}")
    fresh.symlink_to(target)
    fresh.replace(link)
    landing.sync(link.parent)


def _prune(folder: Path) -> None:
    """Keep the last versions up to the current one; who has another one open keeps reading it."""
    link = folder / "kehu.duckdb"
    current = link.readlink().stem if link.is_symlink() else ""
    names = sorted(path.stem for path in folder.glob("kehu-*.duckdb"))
    # a name after the current one was finished, but a failure came before the switch
    kept = [name for name in names if name <= current][-KEPT_VERSIONS:]
    for name in set(names) - set(kept):
        (folder / f"{name}.duckdb").unlink()
    for path in (folder / "parquet").glob("kehu-*"):
        if path.name not in kept:
            shutil.rmtree(path)


def _sweep(folder: Path) -> None:
    """Remove what an unfinished publication left."""
    for path in (*folder.glob(f".*{_HIDDEN[1:]}*"), *folder.glob(f"parquet/{_HIDDEN}*")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _note(settings: Settings, run_id: str, version: str) -> None:
    with connection.write(settings) as con:
        con.execute("update ops.runs set version = ? where run_id = ?", [version, run_id])


@contextmanager
def _only_publisher(folder: Path) -> Iterator[None]:
    """One publisher at a time; the system lets go of the lock when a process dies."""
    handle = os.open(folder / ".publishing", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise WarehouseError(
            "Another process is publishing.",
            where=str(folder),
            do="wait until it has finished, then publish again",
        ) from None
    try:
        yield
    finally:
        os.close(handle)


def _not_computed(error: Exception, table: str) -> WarehouseError:
    """The message would quote a value, so only its kind is told."""
    return WarehouseError(
        f"The table {table} cannot be computed ({type(error).__name__}). Readers keep the last"
        " publication.",
        where=table,
        do=f"read its model, {table.partition('.')[2]}.sql, for a number that does not fit its type"
        " or a text that is no number; then build and publish again",
    )


def _stopped(error: Exception, folder: Path) -> WarehouseError:
    """DuckDB's messages may quote cells, so only their kind is told; the system's do not."""
    kind = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return WarehouseError(
        f"The publication was not finished ({kind or type(error).__name__}). "
        "Readers keep the last one.",
        where=str(folder),
        do="free space on the disk if it is full, look whether the marts are built, then publish "
        "again",
    )
