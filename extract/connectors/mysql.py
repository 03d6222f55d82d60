"""MySQL and MariaDB: one consistent, read-only snapshot over all tables.

In: mysql://user:password@host:port/database. Out: a `Snapshot`. Touches: reads the source. Off
loopback the server's certificate and name are verified (ssl_ca=<file> names an authority other than
the system's, ssl_cert and ssl_key a client's own) unless the URL says ssl_mode=disabled.

The server writes each row as one line of CSV: exact text for every type, a date of 0000-00-00
included, and one short string per row for the driver, which is slow with many columns.

One connection reads: transactions of these servers cannot take over each other's snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pymysql
from pymysql.cursors import SSCursor

from extract.connectors import base
from extract.connectors.base import Address, Measure, quoted
from extract.contract import Column, Contract
from extract.span import Span
from kehu.errors import AccessError, SourceError

_ROWS = 32_768
_REFUSED = (1044, 1045, 1049, 1130, 1698)
"""Wrong password, no rights, unknown database: another attempt would not help."""
_BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "varchar": (
        *("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "uuid"),
        *("json", "time", "timestamp", "inet4", "inet6", *_BYTES),
    ),
    "integer": ("tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"),
    "bigint": ("tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"),
    "double": ("float", "double"),
    "date": ("date",),
    "timestamp": ("datetime",),
    "boolean": ("tinyint", "bit"),
}
_BARE = (
    *("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double"),
    *("date", "datetime", "timestamp", "time", "year", "bit"),
)
"""Types whose text needs no quotes: never empty, without a comma."""


@contextmanager
def open_source(address: Address, contracts: Sequence[Contract]) -> Iterator[MysqlSnapshot]:
    """Connect and hold one read-only snapshot to the end of the block."""

    tls = _tls(address)

    def attempt() -> Any:
        return pymysql.connect(
            host=address.host or "127.0.0.1",
            port=address.port or 3306,
            user=address.user,
            password=address.password or "",
            database=address.database,
            charset="utf8mb4",
            use_unicode=False,
            autocommit=True,
            connect_timeout=base.CONNECT_SECONDS,
            read_timeout=base.SILENCE_SECONDS,
            write_timeout=base.SILENCE_SECONDS,
            program_name="kehu extract",
            **tls,
        )

    connection = base.connect(address, attempt, pymysql.OperationalError, _will_pass)
    try:
        with connection.cursor() as cursor:
            # Empty dates must come as they are stored; the standard quote mark is not needed.
            cursor.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
            for limit in (
                f"SET SESSION max_statement_time = {base.STATEMENT_SECONDS}",  # MariaDB
                f"SET SESSION max_execution_time = {base.STATEMENT_SECONDS * 1000}",  # MySQL
            ):
                with suppress(pymysql.Error):
                    cursor.execute(limit)
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            cursor.execute("SHOW STATUS LIKE 'binlog_snapshot_%'")  # MariaDB with a binary log
            found = {name.decode(): value.decode() for name, value in cursor.fetchall()}
        place = found.get("Binlog_snapshot_file", ""), found.get("Binlog_snapshot_position", "")
        position = f"binary log {place[0]}:{place[1]}" if place[0] else None
        yield MysqlSnapshot(connection, address, position)
    finally:
        with suppress(pymysql.Error):
            connection.close()


def _tls(address: Address) -> dict[str, Any]:
    """Parameters of the driver: verified, or none at all. There is nothing in between."""
    options = address.options
    mode = options.get("ssl_mode", "").lower()
    unknown = sorted(options.keys() - {"ssl_mode", "ssl_ca", "ssl_cert", "ssl_key", "charset"})
    if unknown or mode not in ("", "disabled", "verify_identity"):
        raise AccessError(
            f"The URL has a parameter that is not known: {', '.join(unknown) or 'ssl_mode'}.",
            where=address.where,
            do="use ssl_mode=verify_identity or ssl_mode=disabled, ssl_ca, ssl_cert, ssl_key",
        )
    if mode == "disabled" or (not (mode or "ssl_ca" in options) and base.is_loopback(address.host)):
        return {"ssl_disabled": True}
    context = base.trust(address, "ssl_ca")
    if "ssl_cert" in options:
        try:
            context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"))
        except OSError as error:
            raise AccessError(
                f"The client's certificate cannot be read ({type(error).__name__}).",
                where=address.where,
                do=f"correct ssl_cert and ssl_key in KEHU_{address.system.upper()}_URL",
            ) from None
    return {"ssl": context}


def _will_pass(error: Exception) -> bool:
    """Whether a failed connection is worth another attempt."""
    code, text = (*error.args, "")[:2]
    return code not in _REFUSED and "SSL" not in str(text)


class MysqlSnapshot:
    """A `Snapshot` of one MySQL or MariaDB database."""

    dialect = "mysql"
    """How it writes SQL, for who asks it with `query`."""

    def __init__(self, connection: Any, address: Address, position: str | None) -> None:
        self._connection = connection
        self.position = position
        self._database = address.database
        self.where = address.where

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        engine = self._query(
            contract,
            "SELECT engine FROM information_schema.tables"
            " WHERE table_schema = %s AND table_name = %s",
            (self._database, contract.table),
        )
        if not engine:
            return None
        if engine[0][0] not in (None, b"InnoDB"):
            raise SourceError(
                f"The table {contract.table} has no snapshots: its engine is not InnoDB.",
                where=f"{self.where}, table {contract.table}",
                do="change the engine of the table to InnoDB, or read a replica that has it so",
            )
        found = self._query(
            contract,
            "SELECT column_name, column_type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (self._database, contract.table),
        )
        return {name.decode(): kind.decode() for name, kind in found}

    def holds(self, source_type: str, column: Column) -> bool:
        plain = _plain(source_type)
        kind = column.arrow_type
        if match := re.match(r"decimal\([0-9]+,([0-9]+)\)", source_type.lower()):
            scale = int(match[1])
            if pa.types.is_decimal(kind):
                return scale >= column.scale
            return pa.types.is_integer(kind) and scale == 0
        if pa.types.is_decimal(kind):
            return column.scale == 0 and plain in _FAMILIES["bigint"]
        return plain in _FAMILIES[column.physical_type]

    def measure(self, contract: Contract, span: Span | None) -> Measure:
        items = ["COUNT(*)"]
        for name in contract.money:
            column = contract.column(name)
            cell = quoted(column.physical_name, "`")
            items.append(
                f"CAST(SUM(CASE WHEN ABS({cell}) < {10 ** (column.precision - column.scale)}"
                f" AND {cell} = ROUND({cell}, {column.scale}) THEN {cell} END) AS CHAR)"
            )
        where, values = self._after(contract, span)
        table = quoted(contract.table, "`")
        rows = self._query(contract, f"SELECT {', '.join(items)} FROM {table}{where}", values)
        count, *sums = rows[0]
        totals = zip(contract.money, sums, strict=True)
        return Measure(int(count), {name: Decimal((s or b"0").decode()) for name, s in totals})

    def rows(
        self, contract: Contract, span: Span | None, columns: Sequence[Column]
    ) -> Generator[pa.RecordBatch, None, None]:
        types = self.columns(contract) or {}
        line = ", ".join(_field(c, _plain(types.get(c.physical_name, ""))) for c in columns)
        where, values = self._after(contract, span)
        # Byte order, the same under every collation.
        order = ", ".join(_key(contract.column(name)) for name in contract.key)
        sql = (
            f"SELECT CONCAT_WS(',', {line}) FROM {quoted(contract.table, '`')}{where}"
            f" ORDER BY {order}"
        )
        try:
            with self._connection.cursor(SSCursor) as cursor:
                cursor.execute(sql, values)
                while rows := cursor.fetchmany(_ROWS):
                    lines = [row[0] for row in rows]
                    if None in lines:
                        raise SourceError(
                            "A row is longer than the server's max_allowed_packet.",
                            where=f"{self.where}, table {contract.table}",
                            do="raise max_allowed_packet on the server",
                        )
                    yield base.parse_lines(b"\n".join(lines) + b"\n", columns)
        except pymysql.Error as error:
            raise base.read_failed(self.where, contract, error, error.args[0]) from None

    def query(
        self, contract: Contract, sql: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of a statement about one table, in the same snapshot as all others."""
        return self._query(contract, sql, values)

    def _query(self, contract: Contract, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())
        except pymysql.Error as error:
            raise base.read_failed(self.where, contract, error, error.args[0]) from None

    @staticmethod
    def _after(contract: Contract, span: Span | None) -> tuple[str, tuple[str, ...]]:
        if span is None or contract.cursor is None:
            return "", ()
        cursor = quoted(contract.column(contract.cursor).physical_name, "`")
        bounds = span.bounds(contract)
        inside = " AND ".join(f"{cursor} {operator} %s" for operator, _ in bounds)
        # A date of 0000-00-00 sorts before every moment: read every time, to be quarantined.
        return (
            f" WHERE ({inside} OR {cursor} IS NULL OR {cursor} < '1000-01-01')",
            tuple(moment for _, moment in bounds),
        )


def _plain(source_type: str) -> str:
    """A type's name without its size and attributes."""
    return re.split(r"[ (]", source_type.lower(), maxsplit=1)[0]


def _field(column: Column, source_type: str) -> str:
    """SQL that writes one field of CSV: NULL as nothing, an empty text as two quotes."""
    cell = quoted(column.physical_name, "`")
    if source_type == "bit":
        cell = f"CAST({cell} AS UNSIGNED)"
    elif source_type == "float":  # as text it is cut to six digits
        cell = f"CAST({cell} AS DOUBLE)"
    elif source_type in _BYTES:
        cell = f"CONCAT('0x', HEX({cell}))"
    text = f"CONVERT({cell} USING utf8mb4)"
    # Whatever the contract wants of it, a text may be empty or hold a comma.
    if column.physical_type == "varchar" or source_type not in _BARE:
        text = f"""CONCAT('"', REPLACE({text}, '"', '""'), '"')"""
    return f"IFNULL({text}, '')"


def _key(column: Column) -> str:
    name = quoted(column.physical_name, "`")
    return (
        f"CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin"
        if (column.physical_type == "varchar")
        else name
    )
