"""What every connector offers (`Snapshot`), and what several of them need.

In: a URL. Out: `Address` (the URL taken apart, shown without its password), `Measure`, the
protocol, and retries of a connection. Touches nothing itself.
"""

from __future__ import annotations

import io
import ipaddress
import logging
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
import pyarrow.csv as pa_csv

from extract import casting
from extract.contract import Column, Contract
from extract.span import Span
from kehu.errors import AccessError, SourceError

log = logging.getLogger(__name__)
T = TypeVar("T")

CONNECT_SECONDS = 10
"""How long one attempt to connect may take."""
STATEMENT_SECONDS = 3600
"""How long the server may work on one statement."""
SILENCE_SECONDS = 900
"""How long a source may send nothing while rows are being read; it sorts them first."""
_RESET = struct.pack("ii", 1, 0)
"""Linger, for no second at all."""
_REFUSED = ("42501", "1142", "1143")
"""Codes of PostgreSQL and MariaDB for a table or column that the user may not read."""
PAUSES = (1.0, 3.0)
"""Seconds to wait before the second and the third attempt to connect."""


@dataclass(frozen=True)
class Measure:
    """What the source itself says of the rows that are read: their number and control sums.

    `sums` has one entry per decimal column, over the cells that fit the contract's type.
    """

    rows: int
    sums: Mapping[str, Decimal]


class Snapshot(Protocol):
    """One consistent, read-only view of a source system."""

    where: str

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        """Names and types of the table's columns in the source; None when there is no table."""

    def holds(self, source_type: str, column: Column) -> bool:
        """Whether a source column of this type can give the contract's column unchanged."""

    def measure(self, contract: Contract, span: Span | None) -> Measure:
        """Count and sum, by the source, the rows that `rows` will give."""

    def rows(
        self, contract: Contract, span: Span | None, columns: Sequence[Column]
    ) -> Generator[pa.RecordBatch, None, None]:
        """The rows whose cursor lies in `span` (None: all), sorted by key.

        Each batch has the named columns in the contract's types, and `_cast_errors`.
        """


@runtime_checkable
class Shareable(Snapshot, Protocol):
    """A snapshot that further connections can take, each to be read by a thread of its own."""

    def another(self) -> AbstractContextManager[Snapshot | None]:
        """The same snapshot on a connection of its own; None, with a warning, when refused.

        Call it before anything is read of this one, which may have to begin anew.
        """

    def interrupt(self) -> None:
        """Called from another thread: make whatever is being read here fail at once."""


@dataclass(frozen=True)
class Address:
    """A source URL taken apart. `where` is for messages and holds no password."""

    system: str
    scheme: str
    host: str | None
    port: int | None
    user: str | None
    database: str
    options: Mapping[str, str]
    password: str | None = field(repr=False, default=None)

    @classmethod
    def parse(cls, system: str, url: str) -> Address:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise SourceError(
                "The source URL cannot be read.",
                where=f"KEHU_{system.upper()}_URL",
                do="give <kind>://<user>:<password>@<host>:<port>/<database>, with special "
                "characters of the password percent-encoded",
            ) from None
        scheme = parts.scheme.partition("+")[0]
        path = unquote(parts.path)
        if scheme in ("sqlite", "file"):
            # sqlite:////abs/file.db and sqlite:///rel.db; file:///folder and file://folder.
            path = path[1:] if scheme == "sqlite" else unquote(parts.netloc) + path
            return cls(system, scheme, None, None, None, path, {})
        return cls(
            system=system,
            scheme=scheme,
            host=parts.hostname,
            port=port,
            user=unquote(parts.username) if parts.username else None,
            database=path.lstrip("/"),
            options=dict(parse_qsl(parts.query)),
            password=unquote(parts.password) if parts.password else None,
        )

    @property
    def where(self) -> str:
        if self.scheme in ("sqlite", "file"):
            return f"{self.system}: {self.database}"
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.system}: {self.scheme}://{user}{self.host}{port}/{self.database}"

    @property
    def path(self) -> Path:
        return Path(self.database).expanduser()

    def without_secret(self, text: str) -> str:
        """`text` without the password, on one line."""
        line = " ".join(text.split())
        return line.replace(self.password, "***") if self.password else line


def connect(
    address: Address,
    attempt: Callable[[], T],
    errors: type[Exception],
    is_passing: Callable[[Exception], bool],
) -> T:
    """Call `attempt`; again after a pause when its error will pass, such as a server that starts.

    An error that will not pass, such as a wrong password, is not tried again.
    """
    for pause in (*PAUSES, None):
        try:
            return attempt()
        except errors as error:
            reason = address.without_secret(str(error))
            passing = is_passing(error)
            if pause is None or not passing:
                raise (SourceError if passing else AccessError)(
                    f"The source cannot be opened: {reason}",
                    where=address.where,
                    do="start the source or wait for it, then run the task again"
                    if passing
                    else f"correct user, password, rights, database or parameters in "
                    f"KEHU_{address.system.upper()}_URL",
                ) from None
            log.warning("%s: no connection (%s), again in %s s", address.where, reason, pause)
            time.sleep(pause)
    raise AssertionError("unreachable")


def is_loopback(host: str | None) -> bool:
    """Whether what goes to this host stays on this machine; no host is a local socket."""
    try:
        return host is None or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trust(address: Address, option: str) -> ssl.SSLContext:
    """Verifies certificates: by the system's authorities, or that of the URL's `option`."""
    try:
        return ssl.create_default_context(cafile=address.options.get(option))
    except OSError as error:
        raise AccessError(
            f"The file of the certificate authority cannot be read ({type(error).__name__}).",
            where=address.where,
            do=f"correct {option}=<file> in KEHU_{address.system.upper()}_URL",
        ) from None


@contextmanager
def answering(handle: int, seconds: float | None = None) -> Iterator[None]:
    """Hang up on a server that says nothing for `seconds` (`SILENCE_SECONDS`) during the block.

    `handle` is the connection's socket. In a network that swallows everything a driver without a
    time limit of its own waits for ever, and no signal reaches Python meanwhile; once the socket is
    shut the driver raises that the connection is lost.
    """
    watch = threading.Timer(seconds or SILENCE_SECONDS, hang_up, [handle])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def hang_up(handle: int) -> None:
    """Shut a connection's socket without a word; its driver closes it later.

    Closing then resets the connection: a server that has rows to send and nobody who takes them
    would else wait until the system forgets half a connection, a minute.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(handle)) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.shutdown(socket.SHUT_RDWR)


def read_failed(where: str, contract: Contract, error: Exception, code: object) -> SourceError:
    """The error for a statement that failed. The source's own text may hold cells: left out."""
    refused = str(code) in _REFUSED
    return (AccessError if refused else SourceError)(
        f"Reading {contract.name} failed: {type(error).__name__} (code {code}).",
        where=f"{where}, table {contract.table}",
        do="give the user of the source's URL the right to read the table"
        if refused
        else "look into the source's log under this code; run the task again when it is corrected",
    )


def parse_lines(lines: bytes, columns: Sequence[Column]) -> pa.RecordBatch:
    """Rows that a server wrote as CSV: NULL is an empty field, an empty text is `""`.

    Nearly every chunk fits the contract's types as a whole and is parsed straight into them.
    One that does not is parsed as bytes, so that each cell that does not fit is reported.
    """
    try:
        table = _parsed(lines, columns, {c.name: _direct(c) for c in columns})
    except pa.ArrowInvalid:
        table = _parsed(lines, columns, {c.name: pa.binary() for c in columns})
    return casting.cast([casting.plain(array) for array in table.columns], columns)


def _direct(column: Column) -> pa.DataType:
    """The type in which the parser may read a column without `casting`'s rules."""
    if column.null_values or column.format not in (None, *casting.ISO_FORMATS):
        return pa.binary()
    return column.arrow_type


def _parsed(lines: bytes, columns: Sequence[Column], types: Mapping[str, pa.DataType]) -> pa.Table:
    return pa_csv.read_csv(
        io.BytesIO(lines),
        read_options=pa_csv.ReadOptions(
            column_names=[column.name for column in columns],
            block_size=len(lines) + 1,
            use_threads=False,
        ),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict(types),
            null_values=[""],
            true_values=["t", "1"],
            false_values=["f", "0"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def quoted(name: str, mark: str = '"') -> str:
    """A name as a quoted SQL identifier."""
    return mark + name.replace(mark, mark * 2) + mark
