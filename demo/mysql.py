"""Source systems in MariaDB or MySQL, one database each.

In: rows as Arrow tables. Out: InnoDB tables in the database of the URL. Touches: that database's
tables of the contracts and the marker; makes the database when it is missing. Rows are one
transaction; MariaDB commits table definitions at once, so `create` is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pymysql

from demo.arrow import Texts, kernels
from demo.targets import MARKER, Address, as_text, check_ours, definition
from extract.contract import Contract

_TYPES = {
    "varchar": "varchar(255)",
    "varchar key": "varchar(64)",
    "timestamp": "datetime",
    "boolean": "boolean",
}
_ROWS_A_STATEMENT = 2_000


class MysqlTarget:
    """One MariaDB or MySQL database."""

    def __init__(self, system: str, address: Address, *, rebuild: bool) -> None:
        self._system, self._address = system, address
        self._connection = pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            charset="utf8mb4",
            connect_timeout=10,
        )
        self._cursor = self._connection.cursor()
        if rebuild:
            self._cursor.execute(
                f"CREATE DATABASE IF NOT EXISTS {_quoted(address.database)} CHARACTER SET utf8mb4"
            )
        self._connection.select_db(address.database)
        # one seed, one order of keys: compare texts by their bytes, as the other engines do
        self._cursor.execute("SET NAMES utf8mb4 COLLATE utf8mb4_bin")
        if rebuild:
            self._cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")

    def tables(self) -> set[str]:
        self._cursor.execute("SHOW TABLES")
        return {row[0] for row in self._cursor.fetchall()}

    def create(self, contracts: Sequence[Contract]) -> None:
        check_ours(self._system, self._address.shown, self.tables(), contracts)
        options = " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        # the marker first: what a broken run leaves behind stays recognisable as the demo's own
        self._cursor.execute(f"CREATE TABLE IF NOT EXISTS {MARKER} (made_by varchar(20)){options}")
        for contract in contracts:
            self._cursor.execute(f"DROP TABLE IF EXISTS {contract.table}")
            self._cursor.execute(definition(contract, _TYPES, contract.table) + options)

    def load(self, contract: Contract, rows: pa.Table) -> None:
        for start in range(0, rows.num_rows, _ROWS_A_STATEMENT):
            part = rows.slice(start, _ROWS_A_STATEMENT)
            literals = [_literals(column.combine_chunks()) for column in part.columns]
            values = ",".join(map("({})".format, map(",".join, zip(*literals, strict=True))))
            self._cursor.execute(f"INSERT INTO {contract.table} VALUES {values}")

    def delete(self, contract: Contract, keys: pa.Table) -> None:
        columns = [as_text(keys.column(part).combine_chunks()).to_pylist() for part in contract.key]
        where = " AND ".join(f"{part} = %s" for part in contract.key)
        self._cursor.executemany(
            f"DELETE FROM {contract.table} WHERE {where}", list(zip(*columns, strict=True))
        )

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def _literals(array: Texts) -> list[str]:
    """SQL literals of a column. Every text is quoted, with quotes and backslashes doubled."""
    texts = as_text(array)
    if pa.types.is_string(array.type):
        texts = kernels.replace_substring(texts, "\\", "\\\\")
        texts = kernels.replace_substring(texts, "'", "''")
    numeric = pa.types.is_integer(array.type) or pa.types.is_boolean(array.type)
    if not (numeric or pa.types.is_decimal(array.type)):
        texts = kernels.binary_join_element_wise("'", texts, "'", "")
    literals: list[str] = kernels.fill_null(texts, "NULL").to_pylist()
    return literals


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
