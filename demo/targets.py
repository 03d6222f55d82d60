"""What every database that the demo writes has in common.

In: a system's URL, its contracts. Out: the parts of the URL, `Target` (what each engine's module
offers), table definitions. Touches nothing itself; a `Target` touches the tables of the contracts
and one marker table, and never a database that holds such tables without the marker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa

from demo.arrow import Texts
from extract.contract import Contract
from kehu.errors import SourceError

MARKER = "kehu_demo_source"
"""The table that says: the demo made this database and may make it again."""


class Target(Protocol):
    """One open source database. Everything between opening and `commit` is one transaction
    where the engine can do that (MariaDB commits table definitions at once)."""

    def tables(self) -> set[str]: ...

    def create(self, contracts: Sequence[Contract]) -> None: ...

    def load(self, contract: Contract, rows: pa.Table) -> None: ...

    def delete(self, contract: Contract, keys: pa.Table) -> None: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Address:
    """A source URL in parts. `shown` has no password and may be printed and stored."""

    engine: str
    host: str
    port: int
    user: str
    password: str
    database: str
    schema: str
    shown: str


def parse(system: str, url: str) -> Address:
    """Read a source URL; raises `SourceError` when it names no engine the demo can write."""
    parts = urlsplit(url)
    engine = parts.scheme.split("+")[0]
    names = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
    names |= {"mysql": "mysql", "mariadb": "mysql"}
    if engine not in names:
        raise SourceError(
            f"The demo cannot write a source system of kind {engine!r}.",
            where=f"the URL of system {system}",
            do="use sqlite:///<file>, postgresql://user@host:port/db?schema=name or mysql://...",
        )
    engine = names[engine]
    options = parse_qs(parts.query)
    path = unquote(parts.path)
    host = parts.hostname or ""
    port = parts.port or (5432 if engine == "postgresql" else 3306)
    database = path[1:] if engine == "sqlite" else path.strip("/")
    schema = options.get("schema", [system if engine == "postgresql" else ""])[0]
    if not database:
        raise SourceError(
            "The URL names no database.",
            where=f"the URL of system {system}",
            do="add the file or the database after the third slash",
        )
    place = f"{host}:{port}/{database}" + (f"?schema={schema}" if schema else "")
    return Address(
        engine=engine,
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=database,
        schema=schema,
        shown=f"sqlite:///{database}" if engine == "sqlite" else f"{engine}://{place}",
    )


def check_ours(system: str, shown: str, present: set[str], contracts: Sequence[Contract]) -> None:
    """Refuse a database that holds the system's tables but was not made by the demo."""
    taken = sorted(present & {contract.table for contract in contracts})
    if taken and MARKER not in present:
        raise SourceError(
            f"The database already holds tables of that name ({', '.join(taken[:3])} ...) and "
            "was not made by the demo.",
            where=f"system {system}, {shown}",
            do="name an empty database or schema; the demo never overwrites other data",
        )


def definition(contract: Contract, types: dict[str, str], name: str) -> str:
    """CREATE TABLE of a contract: columns, types and primary key, and no other rule, since a
    source system holds whatever its users typed."""
    columns = []
    for column in contract.columns:
        kind = types.get(column.physical_type, column.physical_type)
        if column.primary_key and column.physical_type == "varchar":
            kind = types["varchar key"]
        missing = " NOT NULL" if column.primary_key else ""
        columns.append(f"{column.physical_name} {kind}{missing}")
    key = ", ".join(contract.column(part).physical_name for part in contract.key)
    return f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({key}))"


def as_text(array: Texts) -> Texts:
    """Values as every engine reads them: ISO dates and moments without zone, plain decimals."""
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("s")).cast(pa.string())
    if pa.types.is_boolean(array.type):
        return array.cast(pa.int8()).cast(pa.string())
    return array.cast(pa.string())
