"""The table that readers are measured on, like TPC-H's lineitem, and the types they are tried on.

In: a URL of PostgreSQL. Out: tables `lineitem`, `nothing` and one per type; contracts of them.
Touches: the database of the URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg2
import yaml

from extract.contract import Contract, read
from extract.landing import Batch
from extract.run import extract_system
from kehu import settings as kehu_settings

KEYS = ("l_orderkey", "l_linenumber", "id")
LINEITEM: Mapping[str, str] = {
    "l_orderkey": "bigint",
    "l_partkey": "integer",
    "l_suppkey": "integer",
    "l_linenumber": "integer",
    "l_quantity": "decimal(15,2)",
    "l_extendedprice": "decimal(15,2)",
    "l_discount": "decimal(15,2)",
    "l_tax": "decimal(15,2)",
    "l_returnflag": "varchar",
    "l_linestatus": "varchar",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "varchar",
    "l_shipmode": "varchar",
    "l_comment": "varchar",
}
ROWS = """
    insert into lineitem
    select i / 4, i * 7919 %% 200000, i * 104729 %% 10000, i %% 4 + 1, 1 + i %% 50,
        (i * 7919 %% 10494950) / 100.0 + 900, (i %% 11) / 100.0, (i %% 9) / 100.0,
        (array['A', 'N', 'R'])[(1 + i %% 3)::int], (array['O', 'F'])[(1 + i %% 2)::int],
        date '1992-01-02' + (i * 31 %% 2526)::int, date '1992-01-31' + (i * 37 %% 2466)::int,
        date '1992-01-03' + (i * 41 %% 2554)::int,
        (array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[(1 + i %% 4)::int],
        (array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[(1 + i %% 7)::int],
        substr(md5(i::text), 1, 10) || ' ' || substr(md5((i * 3)::text), 1, (i %% 20)::int + 5)
    from generate_series(1::bigint, %s::bigint) as i
"""
TYPES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "money": ("numeric(15,2)", "decimal(15,2)", ("0.10", "-9999999999999.99")),
    "wide": ("numeric(38,10)", "decimal(38,10)", ("1234567890123456789012345678.0123456789",)),
    "free_numeric": ("numeric", "decimal(38,19)", ("0.1234567890123456789",)),
    "nan_money": ("numeric(15,2)", "decimal(15,2)", ("NaN", "1.50")),
    "infinite_numeric": ("numeric", "decimal(15,2)", ("Infinity", "2.50")),
    "odd_date": ("date", "date", ("infinity", "0044-03-15 BC", "12026-01-01", "2026-01-31")),
    "odd_moment": ("timestamp", "timestamp", ("infinity", "0044-03-15 00:00:00 BC",
                                              "2026-01-31 23:59:59.999999")),
    "long": ("bigint", "bigint", ("9223372036854775807", "-9223372036854775808")),
    "words": ("text", "varchar", ("", "NULL", "a \"b\"\nc", "刘伟 😀")),
    "id_text": ("uuid", "varchar", ("00000000-0000-0000-0000-000000000001",)),
}  # fmt: skip
"""Name of the table: type in the source, type in the contract, cells as the source writes them."""


def fill(url: str, rows: int, csv: Path | None = None) -> int:
    """Make every table; `lineitem` with made-up rows, or those of a CSV file. Returns its rows."""
    columns = ", ".join(f"{n} {t.replace('decimal', 'numeric')}" for n, t in LINEITEM.items())
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"create table lineitem ({columns.replace('varchar', 'text')})")
        if csv is None:
            cursor.execute(ROWS, (rows,))
        else:
            with csv.open("rb") as file:
                cursor.copy_expert("copy lineitem from stdin (format csv)", file)
        cursor.execute("alter table lineitem add primary key (l_orderkey, l_linenumber)")
        cursor.execute("create table nothing as select * from lineitem limit 0")
        for table, (kind, _, cells) in TYPES.items():
            cursor.execute(f"create table {table} (id integer primary key, cell {kind})")
            for number, cell in enumerate(cells):
                cursor.execute(f"insert into {table} values (%s, %s)", (number, cell))
        cursor.execute("select count(*) from lineitem")
        counted = int(cursor.fetchone()[0])
    connection.close()
    return counted


def write_contract(table: str, folder: Path) -> Contract:
    """The contract of a table of this module, written below `folder`."""
    columns = {"id": "integer", "cell": TYPES[table][1]} if table in TYPES else LINEITEM
    logical = {"varchar": "string", "bigint": "integer", "decimal": "number"}
    properties = [
        {
            "name": name,
            "description": "Measured.",
            "physicalType": kind,
            "logicalType": logical.get(kind.partition("(")[0], kind.partition("(")[0]),
            "classification": "internal",
            **({"primaryKey": True, "required": True} if name in KEYS else {}),
        }
        for name, kind in columns.items()
    ]
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": f"billing.{table}",
        "name": table,
        "version": "1.0.0",
        "status": "active",
        "domain": "billing",
        "schema": [{"name": table, "physicalType": "table", "properties": properties}],
        "customProperties": [{"property": "deletes", "value": "none"}],
    }
    path = folder / "billing" / f"{table}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return read(path)


def extract(url: str, table: str, home: Path) -> list[Batch]:
    """One extraction of the table into a home of its own."""
    write_contract(table, home / "contracts")
    settings = replace(
        kehu_settings.load({"KEHU_HOME": str(home)}),
        contract_dirs=(home / "contracts",),
        source_urls={"billing": url},
    )
    return extract_system(
        "billing", day=date(2026, 1, 31), run_id="bench", watermarks={}, settings=settings
    )
