"""One session on a Spark cluster, over Spark Connect or over Thrift: statements in, rows out.

In: an `Address`. Out: a `Session`. Touches the cluster; starts no JVM, here or there.

The messages of a cluster may quote a row or the statement, so of its errors only the class is told
(such as TABLE_OR_VIEW_NOT_FOUND), which both ways of access put in brackets.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Protocol

from kehu.errors import AccessError, KehuError, SourceError, WarehouseError
from warehouse.engines.address import CONNECT, Address

CONFIGURATION: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
"""As in dbt's profile: a timestamp has no zone, as in DuckDB."""

_REACH_SECONDS = 10
_RETRIES = 5
"""With growing pauses: some twenty seconds."""
_CLASS = re.compile(r"\[([A-Z][A-Z0-9_.]{5,})\]")
_REFUSED = re.compile(r"UNAUTHENTICATED|PERMISSION_DENIED|Bad status: 3|LOGIN|authenticat", re.I)

_connected: dict[str, Any] = {}
"""Sessions of Spark Connect that this process has opened, by URL."""


class Session(Protocol):
    """Statements on one server."""

    def execute(self, sql: str) -> None:
        """Run one statement. Raises `WarehouseError`."""

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one query. Raises `WarehouseError`."""


@contextmanager
def opened(address: Address) -> Iterator[Session]:
    """A session, closed afterwards.

    Raises `SourceError` when nothing answers there, `AccessError` when the login is refused.
    """
    _reach(address)
    with _connect(address) if address.scheme == CONNECT else _thrift(address) as session:
        yield session


def close_all() -> None:
    """Close the sessions of Spark Connect that this process has opened."""
    while _connected:
        _, session = _connected.popitem()
        session.stop()


def error_class(error: BaseException) -> str:
    """The class of a cluster's error, without anything of its text that may be a cell."""
    found = _CLASS.search(str(error))
    return found[1] if found else type(error).__name__


def _reach(address: Address) -> None:
    """The clients wait for minutes where nothing listens; a person should hear at once."""
    try:
        with socket.create_connection((address.host, address.port), timeout=_REACH_SECONDS):
            pass
    except OSError as error:
        raise SourceError(
            f"The Spark cluster does not answer ({error.strerror or type(error).__name__}).",
            where=address.shown,
            do="start the cluster or correct KEHU_SPARK_URL; nothing is lost, clear the task when"
            " it answers",
        ) from None


@contextmanager
def _connect(address: Address) -> Iterator[Session]:
    if sys.modules.get("pyspark") is None:
        # hidden from Great Expectations, which would load it for nothing: see `expectations`
        sys.modules.pop("pyspark", None)
    with warnings.catch_warnings():
        # the client warns of pandas 3 and of every import of itself
        warnings.simplefilter("ignore", FutureWarning)
        try:
            from pyspark.sql import SparkSession
            from pyspark.sql.connect.client.retries import DefaultPolicy
        except ImportError as error:
            raise _no_client("pyspark-client", error) from None
        # it would log the messages of the server, with what they quote
        logging.getLogger("pyspark.sql.connect.client").setLevel(logging.CRITICAL)
        try:
            session = _connected.get(address.remote)
            if session is None or session.is_stopped:
                session = SparkSession.builder.remote(address.remote).create()
                # its own policy waits ten minutes for a server that is gone, also when a task ends
                session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
                for name, value in CONFIGURATION.items():
                    session.conf.set(name, value)
                _connected[address.remote] = session
        except Exception as error:
            raise _not_opened(error, address) from None
    # It stays open: dbt uses the same one in this process, and tables of a catalogue that lives
    # in a session would be gone with it.
    yield _ConnectSession(session, address)


class _ConnectSession:
    def __init__(self, session: Any, address: Address) -> None:
        self._session, self._address = session, address

    def execute(self, sql: str) -> None:
        try:
            self._session.sql(sql)
        except Exception as error:
            raise _failed(error, self._address) from None

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return [tuple(row) for row in self._session.sql(sql).collect()]
        except Exception as error:
            raise _failed(error, self._address) from None


@contextmanager
def _thrift(address: Address) -> Iterator[Session]:
    try:
        from pyhive import hive
    except ImportError as error:
        raise _no_client("dbt-spark[PyHive]", error) from None
    try:
        # Of a session's settings a server takes over only those that are set as its variables.
        variables = {f"set:hivevar:{name}": value for name, value in CONFIGURATION.items()}
        connection = hive.connect(configuration=variables, **_transport(address))
    except Exception as error:
        raise _not_opened(error, address) from None
    with closing(connection):
        yield _ThriftSession(connection, address)


def _transport(address: Address) -> dict[str, Any]:
    login = {
        "auth": address.auth,
        "username": address.user,
        "password": address.secret,
        "kerberos_service_name": address.options.get("kerberos_service_name"),
    }
    place: dict[str, Any] = {"host": address.host, "port": address.port}
    if address.options.get("use_ssl", "").lower() != "true":
        return place | login
    from dbt.adapters.spark.connections import build_ssl_transport

    return {"thrift_transport": build_ssl_transport(**place, **login), "username": address.user}


class _ThriftSession:
    def __init__(self, connection: Any, address: Address) -> None:
        self._connection, self._address = connection, address

    def execute(self, sql: str) -> None:
        self._run(sql, rows=False)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        return self._run(sql, rows=True)

    def _run(self, sql: str, *, rows: bool) -> list[tuple[Any, ...]]:
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if rows else []
        except Exception as error:
            raise _failed(error, self._address) from None


def _not_opened(error: Exception, address: Address) -> KehuError:
    if _REFUSED.search(str(error)):
        return AccessError(
            "The Spark cluster refuses the login.",
            where=address.shown,
            do="correct user and password or token in KEHU_SPARK_URL (or in the Airflow connection"
            " kehu_spark), and auth, which must be what the server expects",
        )
    return SourceError(
        f"No session could be opened on the Spark cluster ({error_class(error)}).",
        where=address.shown,
        do="look whether this is the port of Spark Connect (sc://) or of the Thrift server"
        " (thrift://), and whether auth and use_ssl are what the server expects",
    )


def _failed(error: Exception, address: Address) -> WarehouseError:
    return WarehouseError(
        f"The Spark cluster could not run a statement ({error_class(error)}).",
        where=address.shown,
        do="look into the log of the cluster; when it was restarted, run the task again",
    )


def _no_client(package: str, error: ImportError) -> WarehouseError:
    return WarehouseError(
        f"The client for Spark is not installed ({error.name}).",
        where=f"the Python environment: {sys.prefix}",
        do=f"install {package}, as requirements.lock has it: make setup",
    )
