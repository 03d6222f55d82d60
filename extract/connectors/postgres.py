"""PostgreSQL: one snapshot over all tables, in REPEATABLE READ, READ ONLY transactions.

In: postgresql://user:password@host:port/database?schema=name. Without a schema, tables are looked
for in the one named like the system, then in `public`; other parameters are libpq's. Off loopback
that is sslmode=verify-full, unless the URL says another. Out: a `Snapshot`. Touches: reads the
source.

Rows come by COPY as text, because the text form of PostgreSQL is exact for every type: numeric
NaN, infinity and dates before Christ arrive as what they are and end in the quarantine.

Several connections can read the same snapshot: the first exports it, the others take it over.
"""

from __future__ import annotations

import io
import logging
import queue
import re
import ssl
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from decimal import Decimal
from typing import Any

import certifi
import psycopg2
import pyarrow as pa
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from extract.connectors import base
from extract.connectors.base import Address, Measure, quoted
from extract.contract import Column, Contract
from extract.span import Span
from kehu.errors import SourceError

log = logging.getLogger(__name__)
_CHUNK = 4 << 20
_PASSING = ("57P01", "57P02", "57P03", "53300")
"""SQLSTATEs of a server that stops, starts, or has no free connection."""
_IMPORT = "SET TRANSACTION SNAPSHOT %s"
_POSITION = """
    SELECT txid_current_snapshot()::text, coalesce(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
        ::text, 'unknown')
"""
"""What the snapshot is called where the server's own tools speak of it."""
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "varchar": (
        *("text", "character varying", "character", "uuid", "name", "citext", "json", "jsonb"),
        *("xml", "bytea", "bit", "bit varying", "inet", "cidr", "macaddr", "macaddr8"),
        *("time without time zone", "time with time zone", "timestamp with time zone"),
    ),
    "integer": ("smallint", "integer", "bigint"),
    "bigint": ("smallint", "integer", "bigint"),
    "double": ("real", "double precision"),
    "date": ("date",),
    "timestamp": ("timestamp without time zone",),
    "boolean": ("boolean",),
}


@contextmanager
def open_source(address: Address, contracts: Sequence[Contract]) -> Iterator[PostgresSnapshot]:
    """Connect and hold one read-only snapshot to the end of the block."""
    connection = base.connect(address, lambda: _connect(address), psycopg2.Error, _will_pass)
    with _closing(connection):
        snapshot = PostgresSnapshot(connection, address)
        snapshot.begin()
        yield snapshot


def _connect(address: Address) -> Any:
    """One attempt to connect."""
    server_options = (
        f"-c statement_timeout={base.STATEMENT_SECONDS}s -c extra_float_digits=1 -c work_mem=64MB "
        # One text per value, whatever the server's or the user's own settings.
        "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c bytea_output=hex "
        # A server that works for others gives one core per reader; its helpers cost more than they
        # save us.
        "-c max_parallel_workers_per_gather=0"
    )
    parameters = {
        "connect_timeout": base.CONNECT_SECONDS,
        "application_name": "kehu extract",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": base.SILENCE_SECONDS * 1000,
        **_tls(address),
        **{name: value for name, value in address.options.items() if name != "schema"},
        "host": address.host,
        "port": address.port or 5432,
        "user": address.user,
        "password": address.password,
        "dbname": address.database,
        "client_encoding": "UTF8",
        "options": server_options,
    }
    return psycopg2.connect(**parameters)


@contextmanager
def _closing(connection: Any) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(psycopg2.Error):
            connection.close()


def _tls(address: Address) -> dict[str, str]:
    """Patients' data goes over a network only to a server that proves who it is."""
    if base.is_loopback(address.host) or "sslmode" in address.options:
        return {}
    # libpq's own "system" is where its wheel was built; this is SSL_CERT_FILE where that is set.
    authorities = ssl.get_default_verify_paths().cafile or certifi.where()
    return {"sslmode": "verify-full", "sslrootcert": authorities}


def _will_pass(error: Exception) -> bool:
    """Whether a failed connection is worth another attempt."""
    text = str(error)
    if not isinstance(error, psycopg2.OperationalError):
        return False
    if getattr(error, "pgcode", None) in _PASSING or "starting up" in text:
        return True
    if "SSL" in text or "certificate" in text:
        return False
    # What the server itself refused (password, database, rights) comes as FATAL.
    return "FATAL" not in text or "shutting down" in text or "too many" in text


class PostgresSnapshot:
    """A `Snapshot` of one PostgreSQL database."""

    dialect = "postgres"
    """How it writes SQL, for who asks it with `query`."""

    def __init__(self, connection: Any, address: Address) -> None:
        self._connection = connection
        self._address = address
        self._seen = ""
        self.where = address.where
        self.position = ""

    def begin(self) -> None:
        """Begin the transaction with a snapshot of this moment."""
        try:
            with base.answering(self._connection.fileno()):
                self._take(None)
        except psycopg2.Error as error:
            raise SourceError(
                f"The source was lost as soon as it was opened: {type(error).__name__}.",
                where=self.where,
                do="look whether it is being stopped, then run the task again",
            ) from None

    @contextmanager
    def another(self) -> Iterator[PostgresSnapshot | None]:
        """The same snapshot on a connection of its own; None, with a warning, when refused.

        A server that does not export ends the transaction, which then begins anew. What refuses
        may also be a limit of connections, or a pooler that has no second one.
        """
        other = None
        try:
            other = self._shared()
        except psycopg2.Error as error:
            reason = self._address.without_secret(str(error))
            log.warning("%s: no further reader of the snapshot (%s)", self.where, reason)
        with _closing(other._connection) if other else nullcontext():
            yield other

    def interrupt(self) -> None:
        """Called from another thread: make whatever is being read here fail at once."""
        with suppress(psycopg2.Error):
            base.hang_up(self._connection.fileno())

    def _shared(self) -> PostgresSnapshot:
        name = self._exported()
        other = PostgresSnapshot(_connect(self._address), self._address)
        try:
            with base.answering(other._connection.fileno(), base.CONNECT_SECONDS):
                other._take(name)
            if other._seen != self._seen:  # two servers behind one address
                raise psycopg2.DatabaseError("another snapshot came")
        except psycopg2.Error:
            other._connection.close()
            raise
        other.position = self.position
        return other

    def _exported(self) -> str:
        """The name by which others take this snapshot over, as long as this transaction lasts."""
        try:
            with self._connection.cursor() as cursor, base.answering(self._connection.fileno()):
                cursor.execute("SELECT pg_export_snapshot()")
                (name,) = cursor.fetchone()
                return str(name)
        except psycopg2.Error:
            with suppress(psycopg2.Error):
                self._connection.rollback()
            self.begin()
            raise

    def _take(self, exported: str | None) -> None:
        """Begin the transaction: with the snapshot `exported` by another one, else with a new one.

        A transaction takes its snapshot at its first query: it is taken here.
        """
        schema = self._address.options.get("schema")
        path = [schema] if schema else [self._address.system, "public"]
        self._connection.autocommit = True
        with suppress(psycopg2.DatabaseError), self._connection.cursor() as cursor:
            # A server of 14 or later looks whether we are still there while it counts or sorts.
            cursor.execute("SET client_connection_check_interval = '2s'")
        self._connection.set_session(
            isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True, autocommit=False
        )
        with self._connection.cursor() as cursor:
            if exported is not None:
                cursor.execute(_IMPORT, (exported,))
            cursor.execute(f"SET search_path TO {', '.join(map(quoted, path))}")
            cursor.execute(_POSITION)
            self._seen, place = cursor.fetchone()
        self.position = f"snapshot {self._seen}, LSN {place}"

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        found = self._query(
            contract,
            "SELECT attname::text, CASE WHEN typtype = 'e' THEN 'text'"
            " WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod)"
            " ELSE format_type(atttypid, atttypmod) END"
            " FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum",
            (quoted(contract.table),),
        )
        return dict(found) or None

    def holds(self, source_type: str, column: Column) -> bool:
        plain = re.sub(r"\([0-9,]+\)", "", source_type)
        if match := re.fullmatch(r"numeric(?:\([0-9]+,(-?[0-9]+)\))?", source_type):
            scale = None if match[1] is None else int(match[1])
            kind = column.arrow_type
            if pa.types.is_decimal(kind):
                return scale is None or scale >= column.scale
            return pa.types.is_integer(kind) and scale is not None and scale <= 0
        if pa.types.is_decimal(column.arrow_type):
            return column.scale == 0 and plain in _FAMILIES["bigint"]
        if column.physical_type == "varchar" and (
            plain.endswith("[]") or plain.startswith("interval")
        ):
            return True
        return plain in _FAMILIES[column.physical_type]

    def measure(self, contract: Contract, span: Span | None) -> Measure:
        """Count and sum; cells that cannot fit are left out where the declared type has such."""
        types = self.columns(contract) or {}
        money = [contract.column(name) for name in contract.money]
        plain = {column.name for column in money if _always_fits(types, column)}
        count, sums = self._sums(contract, span, money, plain)
        if "NaN" in sums:
            # Every numeric may hold NaN, and one makes the sum NaN, too.
            count, sums = self._sums(contract, span, money, set())
        return Measure(
            count, {n: Decimal(s or 0) for n, s in zip(contract.money, sums, strict=True)}
        )

    def _sums(
        self, contract: Contract, span: Span | None, money: Sequence[Column], plain: set[str]
    ) -> tuple[int, list[str | None]]:
        items = ["count(*)"]
        for column in money:
            cell = quoted(column.physical_name)
            bound = 10 ** (column.precision - column.scale)
            # NaN is greater than every number, so the bound leaves it out, too.
            fits = f"abs({cell}) < {bound} AND {cell} = round({cell}, {column.scale})"
            rule = "" if column.name in plain else f" FILTER (WHERE {fits})"
            items.append(f"(sum({cell}){rule})::text")
        where, values = self._after(contract, span)
        table = quoted(contract.table)
        rows = self._query(contract, f"SELECT {', '.join(items)} FROM {table}{where}", values)
        count, *sums = rows[0]
        return count, sums

    def rows(
        self, contract: Contract, span: Span | None, columns: Sequence[Column]
    ) -> Generator[pa.RecordBatch, None, None]:
        types = self.columns(contract) or {}
        names = ", ".join(quoted(column.physical_name) for column in columns)
        order = ", ".join(
            # Byte order, the same on every server, whatever its locale.
            quoted(c.physical_name) + (' COLLATE "C"' if self._is_text(types, c) else "")
            for c in map(contract.column, contract.key)
        )
        where, values = self._after(contract, span)
        with self._connection.cursor() as cursor:
            query = cursor.mogrify(
                f"SELECT {names} FROM {quoted(contract.table)}{where} ORDER BY {order}", values
            ).decode()
            copy = _Copy(cursor, f"COPY ({query}) TO STDOUT WITH (FORMAT csv)")
            try:
                for chunk in copy.chunks():
                    yield base.parse_lines(chunk, columns)
            except queue.Empty:
                base.hang_up(self._connection.fileno())
                raise SourceError(
                    f"The source sent nothing for {base.SILENCE_SECONDS} seconds.",
                    where=f"{self.where}, table {contract.table}",
                    do="look for a lock or a stopped server, then run the task again",
                ) from None
            except psycopg2.Error as error:
                raise base.read_failed(self.where, contract, error, error.pgcode) from None
            finally:
                if copy.stop():
                    with suppress(psycopg2.Error):
                        self._connection.cancel()

    def query(
        self, contract: Contract, sql: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of a statement about one table, in the same snapshot as all others."""
        return self._query(contract, sql, values)

    def _query(self, contract: Contract, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            handle = self._connection.fileno()
            with self._connection.cursor() as cursor, base.answering(handle):
                cursor.execute(sql, values)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows
        except psycopg2.Error as error:
            raise base.read_failed(self.where, contract, error, error.pgcode) from None

    @staticmethod
    def _is_text(types: Mapping[str, str], column: Column) -> bool:
        kind = re.sub(r"\([0-9,]+\)", "", types.get(column.physical_name, ""))
        return kind in ("text", "character varying", "character")

    @staticmethod
    def _after(contract: Contract, span: Span | None) -> tuple[str, tuple[str, ...]]:
        if span is None or contract.cursor is None:
            return "", ()
        cursor = quoted(contract.column(contract.cursor).physical_name)
        bounds = span.bounds(contract)
        inside = " AND ".join(f"{cursor} {operator} %s" for operator, _ in bounds)
        moments = tuple(moment for _, moment in bounds)
        return f" WHERE ({inside} OR {cursor} IS NULL)", moments


def _always_fits(types: Mapping[str, str], column: Column) -> bool:
    """Whether the declared numeric(p,s) holds no number that the contract's type cannot hold."""
    declared = re.fullmatch(r"numeric\(([0-9]+),(-?[0-9]+)\)", types.get(column.physical_name, ""))
    if declared is None:
        return False
    digits, scale = int(declared[1]), int(declared[2])
    return scale <= column.scale and digits - scale <= column.precision - column.scale


class _Copy(io.RawIOBase):
    """Runs a COPY in a thread and hands its lines over in chunks, a few ahead at most.

    The driver pushes rows, one call of `write` each; readers want to pull them. Python's own buffer
    in between takes the rows without a call of ours for each.
    """

    def __init__(self, cursor: Any, sql: str) -> None:
        self._ready: queue.Queue[bytes | None] = queue.Queue(maxsize=3)
        self._stopped = threading.Event()
        self._rest = b""
        self._failed = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(cursor, sql), daemon=True)
        self._thread.start()

    def writable(self) -> bool:
        return True

    def write(self, lines: Any) -> int:
        if self._failed:  # the buffer empties itself when it is thrown away
            return len(lines)
        chunk = self._rest + bytes(lines)
        # A line may end inside quotes: then the row goes on.
        whole = chunk.endswith(b"\n") and chunk.count(b'"') % 2 == 0
        self._rest = b"" if whole else chunk
        if whole:
            self._put(chunk)
        return len(lines)

    def chunks(self) -> Iterator[bytes]:
        """Chunks of whole lines; raises what the COPY raised, or `queue.Empty` on silence."""
        while (chunk := self._ready.get(timeout=base.SILENCE_SECONDS)) is not None:
            yield chunk
        self._thread.join()
        if self._error is not None:
            raise self._error

    def stop(self) -> bool:
        """End the thread; True when the COPY had not finished."""
        self._stopped.set()
        self._thread.join(timeout=1)
        return self._thread.is_alive()

    def _run(self, cursor: Any, sql: str) -> None:
        try:
            buffer = io.BufferedWriter(self, _CHUNK)
            cursor.copy_expert(sql, buffer)
            buffer.flush()
        except Exception as error:  # handed to the reader, which raises it
            self._error, self._failed = error, True
        self._put(None)

    def _put(self, chunk: bytes | None) -> None:
        while not self._stopped.is_set():
            try:
                self._ready.put(chunk, timeout=0.2)
                return
            except queue.Full:
                continue
        if chunk is not None:
            raise InterruptedError("the reader has stopped")
