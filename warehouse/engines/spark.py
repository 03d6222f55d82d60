"""Spark as the engine: raw tables over files of the lake, models as tables of the cluster.

In: settings, an address. Out: an `Engine`. Touches the cluster's schemas `kehu_lake` and `raw`, the
lake, and reads the working file. Over Spark Connect or Thrift; every statement is one that Spark
3.5, Spark 4 and Sail understand alike.

Per raw table there are two external tables in `kehu_lake`, whose names carry the mark of what they
show, and the view `raw.<table>` over both. Marks say what is registered already.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from extract.contract import Contract
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import connection, raw
from warehouse.connection import Connection
from warehouse.ddl import raw_tables
from warehouse.engines import lake, marts
from warehouse.engines.address import Address
from warehouse.engines.lake import Lake, RawFiles
from warehouse.engines.sessions import Session

_LAKE = "kehu_lake"
_VERSION_TYPES = {
    "_batch_id": "string",
    "_row_hash": "string",
    "_day": "date",
    "_loaded_at": "timestamp_ntz",
    "_is_current": "boolean",
    "_is_deleted": "boolean",
}


class Spark:
    """See `base.Engine`."""

    def __init__(self, settings: Settings, address: Address, session: Session) -> None:
        self._settings, self._address, self._session = settings, address, session
        self._lake = Lake.of(settings)
        self.dbt_target = address.dbt_target
        self.dbt_environment: Mapping[str, str] = {
            **address.dbt_environment,
            "KEHU_SPARK_TABLE_FORMAT": settings.spark_table_format,
        }

    def execute(self, sql: str) -> None:
        self._session.execute(sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        return self._session.fetch(sql)

    def register_raw(self, contracts: Iterable[Contract]) -> None:
        contracts = list(contracts)
        raw.create_all(contracts, self._settings)
        self.execute(f"create schema if not exists {_LAKE}")
        self.execute("create schema if not exists raw")
        self._check_storage()
        self._check_format()
        with connection.read(self._settings) as con:
            files = [lake.put(con, contract, self._settings) for contract in contracts]
        there, views = self._names(_LAKE), self._names("raw")
        for each in files:
            old = {name for name in there if name.rpartition("_")[0] in _prefixes(each)}
            wanted = {f"{prefix}_{each.mark}" for prefix in _prefixes(each)}
            if old == wanted and each.contract.raw_table in views:
                continue
            self._register(each, old)
            lake.sweep(each)

    def _register(self, files: RawFiles, old: Iterable[str]) -> None:
        """Both tables, the view, and only then away with the tables of before."""
        passed, versions = (f"{_LAKE}.{prefix}_{files.mark}" for prefix in _prefixes(files))
        rows = {field.name: _spark_type(field.type) for field in files.contract.passed_schema}
        keys = dict.fromkeys(lake.KEYS_OF_A_ROW, "string")
        self._external(passed, rows | keys, files.passed)
        self._external(versions, _VERSION_TYPES, files.versions)
        listed = ", ".join(
            f"{'passed' if column.name in rows else 'versions'}.{_quoted(column.name)}"
            for column in raw_tables.columns(files.contract)
        )
        same = " and ".join(f"passed.{name} = versions.{name}" for name in lake.KEYS_OF_A_ROW)
        view = f"raw.{_quoted(files.contract.raw_table)}"
        # With Iceberg's catalogue a view that is replaced goes on reading what it read before.
        self.execute(f"drop view if exists {view}")
        self.execute(
            f"create view {view} as select {listed}"
            f" from {passed} as passed inner join {versions} as versions on {same}"
        )
        for name in old:
            if f"{_LAKE}.{name}" not in (passed, versions):
                self.execute(f"drop table if exists {_LAKE}.{name}")

    def _external(self, table: str, columns: Mapping[str, str], folder: Path) -> None:
        listed = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
        self.execute(f"drop table if exists {table}")
        self.execute(f"create table {table} ({listed}) using parquet location {self._url(folder)}")
        # With Iceberg's catalogue a session goes on reading the files of the table before. An
        # engine that does not know the statement does not remember them either.
        with suppress(WarehouseError):
            self.execute(f"refresh table {table}")

    def _names(self, schema: str) -> set[str]:
        return {str(row[1]) for row in self.fetch(f"show tables in {schema}")}

    @contextmanager
    def read(self, table: str) -> Iterator[pa.RecordBatchReader]:
        with self._lake.exchange() as folder:
            schema = None if self.export(table, folder) else self._empty(table)
            rows: ds.Dataset = ds.dataset(folder, schema=schema, format="parquet")
            yield rows.scanner().to_reader()

    def write(self, table: str, rows: pa.Table) -> None:
        """The table is external: its file lies in the lake, under a new name each time."""
        home = self._lake.make(self._lake.folder / "written" / table)
        fresh = self._lake.make(home / secrets.token_hex(8))
        pq.write_table(rows, fresh / "rows.parquet", compression="zstd")
        self._lake.show(fresh / "rows.parquet")
        self.execute(f"create schema if not exists {table.partition('.')[0]}")
        columns = {field.name: _spark_type(field.type) for field in rows.schema}
        self._external(table, columns, fresh)
        for old in home.iterdir():
            if old != fresh:
                shutil.rmtree(old, ignore_errors=True)

    def export(self, table: str, folder: Path) -> list[Path]:
        """`folder` must lie in the lake. Raises `WarehouseError` when rows are missing in it."""
        target = folder / secrets.token_hex(4)
        self.execute(
            f"insert overwrite directory {self._url(target)} using parquet select * from {table}"
        )
        files = sorted(target.glob("*.parquet"))
        told = int(self.fetch(f"select count(*) from {table}")[0][0])
        found = sum(int(pq.read_metadata(path).num_rows) for path in files)
        if told != found:
            raise self._unseen(f"{table} has {told} rows on the cluster, {found} in the lake")
        return files

    @contextmanager
    def attach_marts(self, con: Connection, work: str) -> Iterator[str]:
        with self._lake.exchange() as folder:
            yield marts.attach(con, self._settings, self, folder)

    def _empty(self, table: str) -> pa.Schema:
        """An engine may write no file for a table without rows."""
        return pa.schema(
            [
                pa.field(str(name), _arrow_type(str(kind)))
                for name, kind, *_ in self.fetch(f"describe table {table}")
            ]
        )

    def _check_storage(self) -> None:
        """A word goes through the lake to the cluster and back."""
        word = secrets.token_hex(8)
        table = f"{_LAKE}.probe_{word}"
        with self._lake.exchange() as folder:
            there = self._lake.make(folder / "there")
            pq.write_table(pa.table({"word": [word]}), there / "word.parquet")
            self._lake.show(there / "word.parquet")
            try:
                self._external(table, {"word": "string"}, there)
                seen = self.fetch(f"select word from {table}")
                back = self.export(table, folder) if seen else []
                words = pa.concat_tables(map(pq.read_table, back)) if back else None
            except (WarehouseError, OSError):
                seen, words = [], None
            finally:
                self.execute(f"drop table if exists {table}")
        if [row[0] for row in seen] != [word] or words is None:
            raise self._unseen("what is written here does not arrive there and back")

    def _check_format(self) -> None:
        table, kind = f"{_LAKE}.probe_{secrets.token_hex(8)}", self._settings.spark_table_format
        try:
            self.execute(f"create table {table} using {kind} as select 1 as n")
        except WarehouseError as error:
            raise WarehouseError(
                f"The Spark cluster cannot make tables of the format {kind}. {error.what}",
                where=f"{self._address.shown}, KEHU_SPARK_TABLE_FORMAT",
                do="give the format that the cluster knows (iceberg, delta or parquet), or add the"
                " library and the catalogue of this one to the cluster",
            ) from None
        self.execute(f"drop table if exists {table}")

    def _unseen(self, reason: str) -> WarehouseError:
        return WarehouseError(
            f"This machine and the Spark cluster do not see the same lake: {reason}.",
            where=f"{self._lake.folder} here, {self._lake.url} on {self._address.shown}",
            do="mount one folder on both and name it in KEHU_SPARK_STORAGE (and, if the cluster"
            " calls it otherwise, in KEHU_SPARK_STORAGE_URL); both users must read and write it",
        )

    def _url(self, path: Path) -> str:
        return "'" + self._lake.url_of(path).replace("'", "\\'") + "'"


def _prefixes(files: RawFiles) -> tuple[str, str]:
    name = files.contract.raw_table
    return f"passed__{name}", f"versions__{name}"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "string",
    pa.large_string(): "string",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp_ntz",
    pa.bool_(): "boolean",
}


def _spark_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if kind not in _TYPES:
        raise WarehouseError(
            f"Tables of {kind} cannot be given to Spark.",
            where="warehouse/engines/spark.py",
            do=f"cast the column to one of: {', '.join(map(str, _TYPES))}, decimal",
        )
    return _TYPES[kind]


def _arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        precision, scale = kind[len("decimal(") : -1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return next(arrow for arrow, name in _TYPES.items() if name == kind)
