"""Source systems in PostgreSQL, one schema each.

In: rows as Arrow tables. Out: tables in the schema of the URL. Touches: that schema's tables of the
contracts and the marker; makes database and schema when they are missing. One transaction.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.csv

from demo.targets import MARKER, Address, as_text, check_ours, definition
from extract.contract import Contract

_TYPES = {
    "varchar": "varchar",
    "varchar key": "varchar",
    "double": "double precision",
    "timestamp": "timestamp(0)",
}


class PostgresTarget:
    """One PostgreSQL schema."""

    def __init__(self, system: str, address: Address, *, rebuild: bool) -> None:
        self._system, self._address = system, address
        try:
            self._connection = self._connect(address.database)
        except psycopg2.OperationalError as error:
            if not rebuild or "does not exist" not in str(error) or "database" not in str(error):
                raise
            self._make_database()
            self._connection = self._connect(address.database)
        self._cursor = self._connection.cursor()
        self._schema = address.schema

    def _connect(self, database: str) -> Any:
        return psycopg2.connect(
            host=self._address.host,
            port=self._address.port,
            user=self._address.user or None,
            password=self._address.password or None,
            dbname=database,
            connect_timeout=10,
        )

    def _make_database(self) -> None:
        connection = self._connect("postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {_quoted(self._address.database)} ENCODING 'UTF8'")
        connection.close()

    def _name(self, table: str) -> str:
        return f"{_quoted(self._schema)}.{table}"

    def tables(self) -> set[str]:
        self._cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s",
            (self._schema,),
        )
        return {name for (name,) in self._cursor.fetchall()}

    def create(self, contracts: Sequence[Contract]) -> None:
        check_ours(self._system, self._address.shown, self.tables(), contracts)
        self._cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(self._schema)}")
        for contract in contracts:
            self._cursor.execute(f"DROP TABLE IF EXISTS {self._name(contract.table)}")
            self._cursor.execute(definition(contract, _TYPES, self._name(contract.table)))
        self._cursor.execute(f"DROP TABLE IF EXISTS {self._name(MARKER)}")
        self._cursor.execute(f"CREATE TABLE {self._name(MARKER)} (made_by varchar)")

    def load(self, contract: Contract, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        texts = pa.table(
            [as_text(c.combine_chunks()) for c in rows.columns], names=rows.column_names
        )
        buffer = io.BytesIO()
        # NULL is an empty field, text is always quoted: what COPY's CSV means by it
        pyarrow.csv.write_csv(texts, buffer, pyarrow.csv.WriteOptions(include_header=False))
        buffer.seek(0)
        self._cursor.copy_expert(
            f"COPY {self._name(contract.table)} FROM STDIN WITH (FORMAT csv)", buffer
        )

    def delete(self, contract: Contract, keys: pa.Table) -> None:
        if not keys.num_rows:
            return
        key = ", ".join(contract.key)
        columns = [as_text(keys.column(part).combine_chunks()).to_pylist() for part in contract.key]
        kinds = [
            "text" if (kind := contract.column(part).physical_type) == "varchar" else kind
            for part in contract.key
        ]
        arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
        self._cursor.execute(
            f"DELETE FROM {self._name(contract.table)} WHERE ({key}) IN "
            f"(SELECT * FROM unnest({arrays}))",
            columns,
        )

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
