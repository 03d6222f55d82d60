"""Every odd cell of every kind of source: exact against the source's own text, or reported with it.

One table per row of a matrix: the type in the source, the type in the contract, the cells that
must arrive exactly, and the cells that must be reported. Nothing else may happen to a cell.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from extract.landing import CAST_ERRORS
from tests.extract.conftest import Landed, Source, Workplace, column, key

Row = tuple[str, str, Sequence[str], Sequence[str]]

POSTGRES: Sequence[Row] = [
    ("numeric(15,2)", "decimal(15,2)", ["0.10", "-9999999999999.99", "0"], ["'NaN'"]),
    ("numeric(38,10)", "decimal(38,10)", ["1234567890123456789012345678.0123456789"], []),
    ("numeric", "decimal(38,19)", ["0.1234567890123456789"], ["'NaN'", "'Infinity'"]),
    ("numeric", "decimal(15,2)", ["2.5", "1.500"],
     ["0.1234567890123456789", "'-Infinity'", "1e20"]),
    ("numeric(5,-2)", "bigint", ["1234500"], []),
    ("bigint", "bigint", ["9223372036854775807", "-9223372036854775808"], []),
    ("bigint", "integer", ["2147483647"], ["2147483648"]),
    ("smallint", "integer", ["-32768"], []),
    ("double precision", "double",
     ["0.1", "'NaN'", "'Infinity'", "'-Infinity'", "5e-324", "1.7976931348623157e308", "'-0'"], []),
    ("real", "double", ["0.5", "16777216"], []),
    ("boolean", "boolean", ["true", "false"], []),
    ("date", "date", ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'"],
     ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'12026-01-01'"]),
    ("timestamp", "timestamp", ["'2026-01-31 23:59:59.999999'", "'0001-01-01'", "'9999-12-31'"],
     ["'infinity'", "'0044-03-15 00:00 BC'", "'294276-01-01'"]),
    ("timestamptz", "varchar", ["'2026-03-08 02:30:00 America/New_York'", "'infinity'"], []),
    ("time", "varchar", ["'24:00:00'", "'00:00:00.000001'"], []),
    ("interval", "varchar", ["'1 year 2 mons 3 days 04:05:06.7'", "'-00:00:01'"], []),
    ("json", "varchar", ["""'{"a":  1.10, "a": null}'"""], []),
    ("jsonb", "varchar", ["""'{"名": ["刘伟", 1.10]}'"""], []),
    ("uuid", "varchar", ["'00000000-0000-0000-0000-000000000001'"], []),
    ("bytea", "varchar", [r"'\x00ff0a22'", "''"], []),
    ("integer[]", "varchar", ["'{1,NULL,3}'", "'{}'"], []),
    ("text[]", "varchar", ["""'{"a,b","c\\"d",NULL,""}'"""], []),
    ("text", "varchar",
     ["''", "'NULL'", r"'\N'", "E'a \"b\"\\nc\\r\\n,;'", "'刘伟 😀'", "' '", "'NA'",
      "'007'", "'1e5'"], []),
    ("char(3)", "varchar", ["'a'", "''"], []),
    ("inet", "varchar", ["'10.0.0.1/24'"], []),
    ("bit(5)", "varchar", ["B'00101'"], []),
]  # fmt: skip

MARIADB: Sequence[Row] = [
    ("decimal(15,2)", "decimal(15,2)", ["0.10", "-9999999999999.99"], []),
    ("decimal(38,10)", "decimal(38,10)", ["1234567890123456789012345678.0123456789"], []),
    ("decimal(65,30)", "decimal(38,10)", ["1.5"], ["12345678901234567890123456789.5", "1e-30"]),
    ("date", "date", ["'9999-12-31'", "'1000-01-01'"],
     ["'0000-00-00'", "'2026-00-10'", "'2026-02-30'"]),
    ("datetime(6)", "timestamp", ["'2026-01-31 23:59:59.999999'", "'2026-03-08 02:30:00'"],
     ["'0000-00-00 00:00:00'", "'2026-02-30 00:00:00'"]),
    ("timestamp NULL", "varchar", ["'2026-01-31 10:00:00'", "0"], []),
    ("time", "varchar", ["'838:59:59'", "'-100:00:01'", "'00:00:00'"], []),
    ("year", "integer", ["2026", "1901", "0"], []),
    ("bigint unsigned", "bigint", ["9223372036854775807"], ["18446744073709551615"]),
    ("bigint unsigned", "decimal(20,0)", ["18446744073709551615", "0"], []),
    ("int(5) zerofill", "integer", ["42", "123456"], ["4294967295"]),
    ("int(10) unsigned zerofill", "bigint", ["42", "4294967295"], []),
    ("tinyint(1)", "boolean", ["0", "1"], ["2", "-1"]),
    ("tinyint(1)", "integer", ["2", "-128"], []),
    ("bit(1)", "boolean", ["b'0'", "b'1'"], []),
    ("bit(8)", "integer", ["b'10000001'", "b'0'"], []),
    ("bit(64)", "bigint", ["b'1'"], [f"b'{'1' * 64}'"]),
    ("double", "double", ["0.1", "0.1e0 + 0.2e0", "1.7976931348623157e308"], []),
    ("float", "double", ["0.5", "16777215", "0.1"], []),
    ("varchar(40) CHARACTER SET utf8mb3", "varchar", ["'刘伟 é'", "''"], []),
    ("varchar(40) CHARACTER SET latin1", "varchar", ["'café'"], []),
    ("varchar(40) CHARACTER SET gbk", "varchar", ["'刘伟'"], []),
    ("text", "varchar",
     ["''", "'NULL'", r"'\\N'", "'a \"b\"\\nc\\r\\n,;'", "'刘伟 😀'",
      r"'nul \0 inside'", "'007'", "'1e5'"], []),
    ("char(3)", "varchar", ["'a'", "''"], []),
    ("enum('a', 'b')", "varchar", ["'b'"], []),
    ("set('a', 'b')", "varchar", ["'a,b'", "''"], []),
    ("json", "varchar", ["""'{"a":  1.10}'"""], []),
    ("varbinary(8)", "varchar", ["x'00ff0a22'", "''"], []),
    ("uuid", "varchar", ["'00000000-0000-0000-0000-000000000001'"], []),
]  # fmt: skip

SQLITE: Sequence[Row] = [
    ("", "decimal(18,2)", ["12", "12.5", "'12.50'", "9007199254740993"],
     ["12.345", "'word'", "x'ff'", "9e999"]),
    ("INTEGER", "bigint", ["9223372036854775807", "'5'", "5.0"], ["'five'", "1.5", "x'01ff'"]),
    ("NUMERIC", "decimal(18,2)", ["'0012'", "3.1"], ["'1,5'", "''"]),
    ("DATE", "date", ["'2026-01-31'", "'9999-12-31'"],
     ["2461071.5", "1769817600", "20260131", "'31/01/2026'", "'0000-00-00'", "'2026-01-31 10:00'"]),
    ("DATETIME", "timestamp", ["'2026-01-31 10:00:00'", "'2026-01-31T10:00:00.5'", "'2026-01-31'"],
     ["2461071.5", "1769817600", "'10:00'", "'2026-01-31 10:00:00Z'"]),
    ("REAL", "double", ["0.1", "1e308", "5"], ["'word'"]),
    ("BOOLEAN", "boolean", ["0", "1", "'true'"], ["2", "'yes'"]),
    ("TEXT", "varchar",
     ["''", "'007'", "'1e5'", "'NA'", "'刘伟 😀'", "'a' || char(0) || 'b'", "12"],
     ["x'c328'"]),
]  # fmt: skip
SQLITE_TEXT = "CASE typeof(cell) WHEN 'blob' THEN hex(cell) ELSE CAST(cell AS TEXT) END"


def exact(value: Any, text: str, kind: str) -> bool:
    """Whether a landed value is what the source's text says."""
    if value is None:
        return False
    if kind.startswith("decimal"):
        return bool(value == Decimal(text))
    if kind == "double":
        number = float(text)
        return math.isnan(value) if math.isnan(number) else (
            value == number and math.copysign(1, value) == math.copysign(1, number)
        )  # fmt: skip
    if kind in ("integer", "bigint"):
        return bool(value == Decimal(text))
    if kind == "boolean":
        return bool(value) == (text in ("true", "t", "1"))
    if kind in ("date", "timestamp"):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment == datetime.fromisoformat(text)
    return bool(value == text)


def compare(
    source: Source, place: Workplace, matrix: Sequence[Row], text_of: Callable[[str], str]
) -> None:
    for number, (declared, kind, sound, odd) in enumerate(matrix):
        cells = [*sound, *odd, "NULL"]
        name = f"t{number:02d}"
        values = ", ".join(f"({n}, {cell})" for n, cell in enumerate(cells))
        source.run(f"CREATE TABLE {name} (id integer PRIMARY KEY, cell {declared})")
        with closing(source.connect()) as connection:
            cursor = connection.cursor()
            if source.kind == "mariadb":
                cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
            cursor.execute(f"INSERT INTO {name} VALUES {values}")
            connection.commit()
        place.contract(name, [key("id", "integer"), column("cell", kind)])

    landed = place.extract()

    wrong = []
    with closing(source.connect()) as connection:
        cursor = connection.cursor()
        for statement in {
            "postgres": ["SET timezone = 'UTC'", "SET extra_float_digits = 1"],
            "mariadb": ["SET time_zone = '+00:00'"],
        }.get(source.kind, ()):
            cursor.execute(statement)
        for number, (declared, kind, sound, odd) in enumerate(matrix):
            cursor.execute(f"SELECT {text_of(declared)} FROM t{number:02d} ORDER BY id")
            texts = [text for (text,) in cursor.fetchall()]
            rows = landed[f"t{number:02d}"].rows
            assert len(rows) == len(texts) == len(sound) + len(odd) + 1
            for place_in, (row, text) in enumerate(zip(rows, texts, strict=True)):
                told = json.loads(row[CAST_ERRORS] or "{}").get("cell")
                if place_in < len(sound):
                    fine = told is None and exact(row["cell"], text, kind)
                elif text is None:
                    fine = told is None and row["cell"] is None
                else:
                    fine = row["cell"] is None and told is not None and same(told, text)
                if not fine:
                    wrong.append((declared, kind, text, row["cell"], told))
    assert wrong == []


def same(told: str, text: str) -> bool:
    """A reported cell is shown as the source shows it; bytes that are no text as \\xNN."""
    if "\\x" in told:
        return told.encode().decode("unicode_escape").encode("latin-1").hex().upper() == text
    return told == text or told == text.lower().replace(".0e", "e")


@pytest.mark.postgres
def test_postgres(postgres_source: Source, place: Workplace) -> None:
    place.url = postgres_source.url

    def text_of(declared: str) -> str:
        # A cast to text would drop the blanks that fill a char(n); what the server writes has them.
        written = "CASE WHEN cell IS NOT NULL THEN format('%s', cell) END"
        return written if declared.startswith("char") else "cell::text"

    compare(postgres_source, place, POSTGRES, text_of)


@pytest.mark.mariadb
def test_mariadb(mariadb_source: Source, place: Workplace) -> None:
    place.url = mariadb_source.url

    def text_of(declared: str) -> str:
        kind = declared.partition("(")[0]
        return {
            "bit": "CAST(cell AS UNSIGNED)",
            "float": "CAST(cell AS DOUBLE)",
            "varbinary": "CONCAT('0x', HEX(cell))",
        }.get(kind, "CONVERT(cell USING utf8mb4)").join(("CAST(", " AS CHAR)"))

    compare(mariadb_source, place, MARIADB, text_of)


def test_sqlite(sqlite_source: Source, place: Workplace) -> None:
    place.url = sqlite_source.url

    compare(sqlite_source, place, SQLITE, lambda declared: SQLITE_TEXT)


CSV = [
    # encoding, decimal mark, type, cell in the file, value or None, text that is reported or None
    ("utf-8", ".", "varchar", "007", "007", None),
    ("utf-8", ".", "varchar", "1e5", "1e5", None),
    ("utf-8", ".", "varchar", "NA", "NA", None),
    ("utf-8", ".", "varchar", "NULL", "NULL", None),
    ("utf-8", ".", "varchar", "", None, None),
    ("utf-8", ".", "varchar", '""', "", None),
    ("utf-8", ".", "varchar", '" a ""b""\r\n"', ' a "b"\r\n', None),
    ("utf-8", ".", "varchar", "nul \0 inside", "nul \0 inside", None),
    ("utf-8", ".", "varchar", "2026-01-31", "2026-01-31", None),
    ("utf-8", ".", "integer", "007", 7, None),
    ("utf-8", ".", "integer", "1e5", None, "1e5"),
    ("utf-8", ".", "integer", "NA", None, "NA"),
    ("utf-8", ".", "bigint", "9223372036854775808", None, "9223372036854775808"),
    ("utf-8", ".", "decimal(18,2)", "1e5", Decimal(100_000), None),
    ("utf-8", ".", "decimal(18,2)", "1,5", None, "1,5"),
    ("utf-8", ".", "decimal(18,2)", "1.005", None, "1.005"),
    ("utf-8", ".", "decimal(18,2)", "$1", None, "$1"),
    ("utf-8", ",", "decimal(18,2)", "1234,50", Decimal("1234.50"), None),
    ("utf-8", ",", "decimal(18,2)", "1.234,50", None, "1.234,50"),
    ("utf-8", ",", "decimal(18,2)", "1.234", None, "1.234"),
    ("utf-8", ",", "double", "0,1", 0.1, None),
    ("utf-8", ".", "date", "31/01/2026", None, "31/01/2026"),
    ("utf-8", ".", "boolean", "yes", None, "yes"),
    ("utf-8-sig", ".", "varchar", "刘伟 😀", "刘伟 😀", None),
    ("gbk", ".", "varchar", "刘伟", "刘伟", None),
    ("gb18030", ".", "varchar", "刘伟 😀", "刘伟 😀", None),
    ("latin-1", ".", "varchar", "café \x85", "café \x85", None),
    ("cp1252", ".", "varchar", "€ café", "€ café", None),
    ("utf-16", ".", "varchar", "刘伟 😀", "刘伟 😀", None),
]


def test_csv(place: Workplace) -> None:
    """One file per row of the matrix, every other one packed."""
    for number, (encoding, mark, kind, cell, _, _) in enumerate(CSV):
        content = f"id;cell;more\r\n1;{cell};x\r\n2;;x\r\n".encode(encoding)
        deliver(place, f"t{number:02d}", content, encoding, mark, kind, packed=number % 2 > 0)

    landed = place.extract()

    wrong = []
    for number, (_, _, _, _, value, told) in enumerate(CSV):
        batch = landed[f"t{number:02d}"]
        found = batch.rows[0]["cell"]
        if (
            (found, type(found)) != (value, type(value))
            or batch.errors("id") != ({1: {"cell": told}} if told else {})
            or (batch.manifest.source_rows, batch.manifest.landed_rows) != (2, 2)
        ):
            wrong.append((CSV[number], found, batch.errors("id")))
    assert wrong == []


@pytest.mark.parametrize(
    ("encoding", "cell", "told"),
    [
        ("utf-8", b"caf\xe9", "caf\\xe9 (byte 19 of the file)"),
        ("utf-8", b"\xed\xa0\x80", "\\xed\\xa0\\x80 (byte 16 of the file)"),
        ("utf-8", b"\xff\xfe", "\\xff\\xfe (byte 16 of the file)"),
        ("gbk", b"\xc1\xf5\xff", "刘\\xff (byte 18 of the file)"),
        ("cp1252", b"\x81", "\\x81 (byte 16 of the file)"),
        ("ascii", b"\xe5", "\\xe5 (byte 16 of the file)"),
    ],
)
def test_bytes_that_are_no_text_are_reported_with_their_place(
    place: Workplace, encoding: str, cell: bytes, told: str
) -> None:
    content = b"id;cell;more\r\n1;" + cell + b";x\r\n2;sound;x\r\n"
    assert content[16 : 16 + len(cell)] == cell

    landed = delivered(place, content, encoding, ".", "varchar", packed=False)

    assert [row["cell"] for row in landed.rows] == [None, "sound"]
    assert landed.errors("id") == {1: {"cell": told}}


def test_bad_bytes_far_into_a_file_have_their_own_places(place: Workplace) -> None:
    """Behind a byte order mark and beyond one block of the decoder; one more is not read."""
    lines = [f"{n};sound;{'x' * 60}\n".encode() for n in range(60_000)]
    lines[100] = b"100;b\xff;c\xff\n"
    lines[59_000] = b"59000;b\xfe\xfd;x\n"
    content = b"\xef\xbb\xbfid;cell;more\n" + b"".join(lines)

    landed = delivered(place, content, "utf-8", ".", "varchar", packed=True)

    assert landed.errors("id") == {
        100: {"cell": f"b\\xff (byte {content.index(0xFF)} of the file)"},
        59_000: {"cell": f"b\\xfe\\xfd (byte {content.index(0xFE)} of the file)"},
    }
    assert landed.manifest.landed_rows == 60_000


@pytest.mark.parametrize(
    ("dialect", "content"),
    [
        ({"delimiter": "\t"}, "id\tcell\n1\ta;b\n"),
        ({"delimiter": "|", "quote": "'"}, "id|cell\n1|'a;b'\n"),
        ({"delimiter": ",", "quote": ""}, 'id,cell\n1,a;b\n2,"x\n'),
        ({"delimiter": ";", "escape": "\\"}, 'id;cell\n1;a\\;b\n2;"""x"\n'),
        ({"delimiter": ";", "headerRow": 3}, "Report\n\nid;cell\n1;'a;b'\n".replace("'", '"')),
    ],
)
def test_dialects(place: Workplace, dialect: dict[str, Any], content: str) -> None:
    landed = delivered(place, content.encode(), "utf-8", ".", "varchar", packed=False, **dialect)

    assert [row["cell"] for row in landed.rows] == ["a;b", '"x'][: len(landed.rows)]
    assert landed.errors("id") == {}


def delivered(
    place: Workplace,
    content: bytes,
    encoding: str,
    mark: str,
    kind: str,
    packed: bool,
    **dialect: Any,
) -> Landed:
    """A CSV file with the columns id and cell, as it lands."""
    deliver(place, "cells", content, encoding, mark, kind, packed, **dialect)
    return place.extract()["cells"]


def deliver(
    place: Workplace,
    table: str,
    content: bytes,
    encoding: str,
    mark: str,
    kind: str,
    packed: bool,
    **dialect: Any,
) -> None:
    path = place.root / "inbox" / f"{table}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(content) if packed else content)
    place.url = f"file://{path.parent}"
    more = {"delimiter": ";", "decimal": mark, **dialect}
    file = {
        "path": path.name,
        "format": "csv",
        "encoding": encoding,
        "customProperties": [{"property": k, "value": v} for k, v in more.items()],
    }
    columns = [key("id", "integer"), column("cell", kind)]
    place.contract(table, columns, file=file, deletes="snapshot")
