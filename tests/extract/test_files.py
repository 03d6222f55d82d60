"""Folders of files: declared encodings, formats and blanks; lines and cells that are bad."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extract.connectors import delimited
from kehu.errors import DriftError, SourceError
from tests.extract.conftest import Workplace, column, key

INVOICES = [
    key("invoice_no", physicalName="Invoice No"),
    column("name", "varchar", physicalName="Name", classification="personal"),
    column("amount", "decimal(18,2)", physicalName="Amount"),
    column("issued", "date", physicalName="Issued", logicalTypeOptions={"format": "dd/MM/yyyy"}),
]
POSITION = column("_row", "bigint", primaryKey=True, primaryKeyPosition=1, required=True)


def deliver(place: Workplace, content: bytes, name: str = "invoices.csv") -> Path:
    path = place.root / "inbox" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    place.url = f"file://{path.parent}"
    return path


def contract(
    place: Workplace, columns: Sequence[Any] = INVOICES, path: str = "invoices.csv", **more: Any
) -> None:
    file = {"path": path, "format": "csv", **more}
    place.contract("invoices", columns, file=file, deletes="snapshot")


def test_a_csv_lands_by_its_contract(place: Workplace) -> None:
    blank = column(
        "amount",
        "decimal(18,2)",
        physicalName="Amount",
        customProperties=[{"property": "nullValues", "value": [" ", "n/a"]}],
    )
    deliver(
        place,
        b"Issued,Invoice No,Extra,Name,Amount\r\n"
        b'03/01/2012,B2,x,"Smith, ""J""\nSons",50.39\r\n'
        b"29/02/2012,B1,x,, \r\n"
        b'30/02/2012,B3,x,"",12.345\r\n'
        b",B4,x,Li,n/a\r\n",
    )
    contract(place, [*INVOICES[:2], blank, INVOICES[3]])

    invoices = place.extract()["invoices"]

    assert [tuple(row.values())[:4] for row in invoices.rows] == [
        ("B1", None, None, date(2012, 2, 29)),
        ("B2", 'Smith, "J"\nSons', Decimal("50.39"), date(2012, 1, 3)),
        ("B3", "", None, None),
        ("B4", "Li", None, None),
    ]
    assert invoices.errors("invoice_no") == {"B3": {"amount": "12.345", "issued": "30/02/2012"}}
    assert invoices.manifest.control_sums == {"amount": "50.39"}
    assert invoices.manifest.new_columns == ["Extra"]
    assert invoices.manifest.snapshot


@pytest.mark.fault(11, "lines with too few or too many fields")
def test_lines_with_a_wrong_number_of_fields_land_with_their_text(place: Workplace) -> None:
    deliver(place, b"Name,Amount\na,1\nb\n\nc,3,3\nd\xff\xfe,4,4\ne,5\n")
    contract(place, [POSITION, *INVOICES[1:3]])

    invoices = place.extract()["invoices"]

    assert [(r["_row"], r["name"], r["amount"]) for r in invoices.rows] == [
        (1, "a", 1),
        (5, "e", 5),
        (2, None, None),
        (3, None, None),
        (4, None, None),
    ]
    assert invoices.errors("_row") == {
        2: {"_line": "b"},
        3: {"_line": "c,3,3"},
        4: {"_line": "d\\xff\\xfe,4,4 (byte 26 of the file)"},
    }
    assert invoices.manifest.source_rows == invoices.manifest.landed_rows == 5
    assert invoices.manifest.control_sums == {"amount": "6.00"}


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gbk", "gbk"), ("utf-16", "utf-16")],
)
@pytest.mark.fault(10, "encodings declared by the contract")
def test_encodings(place: Workplace, encoding: str, declared: str) -> None:
    text = "Invoice No,Name,Amount,Issued\nB1,刘伟,1.00,03/01/2012\nB2,張三,2.00,04/01/2012\n"
    deliver(place, text.encode(encoding))
    contract(place, encoding=declared)

    assert [row["name"] for row in place.extract()["invoices"].rows] == ["刘伟", "張三"]


@pytest.mark.parametrize(
    ("encoding", "bad", "shown"),
    [
        ("utf-8", b"caf\xe9", "caf\\xe9 (byte 36 of the file)"),
        ("gbk", b"\xc1\xf5\xff", "刘\\xff (byte 35 of the file)"),
    ],
)
@pytest.mark.fault(10, "bytes outside the declared encoding")
def test_bytes_outside_the_encoding_are_one_bad_cell(
    place: Workplace, encoding: str, bad: bytes, shown: str
) -> None:
    deliver(
        place,
        b"Invoice No,Name,Amount,Issued\nB1," + bad + b",1.00,03/01/2012\nB2,Li,2.00,04/01/2012\n",
    )
    contract(place, encoding=encoding)

    invoices = place.extract()["invoices"]

    assert invoices.errors("invoice_no") == {"B1": {"name": shown}}
    assert [row["amount"] for row in invoices.rows] == [1, 2]


def test_gzip_delimiter_and_several_files(place: Workplace) -> None:
    header = "Invoice No;Name;Amount;Issued\n"
    deliver(place, gzip.compress(f"{header}B2;b;2;03/01/2012\n".encode()), "day1.csv.gz")
    deliver(place, gzip.compress(f"{header}B1;a;1;03/01/2012\n".encode()), "day2.csv.gz")
    contract(place, path="day*.csv.gz", customProperties=[{"property": "delimiter", "value": ";"}])

    invoices = place.extract()["invoices"]

    assert [row["invoice_no"] for row in invoices.rows] == ["B1", "B2"]
    assert invoices.manifest.control_sums == {"amount": "3.00"}


def test_parquet_types_and_positions(place: Workplace) -> None:
    path = deliver(place, b"", "lines.parquet")
    table = pa.table(
        {
            "Customer": pa.array([17850, None, 3], pa.int32()),
            "Price": [2.55, 0.125, 1.0],
            ".order": pa.array(["x", "y", "x"]).dictionary_encode(),
        }
    )
    pq.write_table(table, path)
    columns = [
        POSITION,
        column("customer_no", "varchar", physicalName="Customer"),
        column("price", "decimal(18,2)", physicalName="Price"),
        column("position", "varchar", physicalName=".order"),
    ]
    contract(place, columns, "*.parquet", format="parquet")

    lines = place.extract()["invoices"]

    assert [tuple(row.values())[:4] for row in lines.rows] == [
        (1, "17850", Decimal("2.55"), "x"),
        (2, None, None, "y"),
        (3, "3", Decimal("1.00"), "x"),
    ]
    assert lines.errors("_row") == {2: {"price": "0.125"}}
    assert lines.manifest.control_sums == {"price": "3.55"}


def test_an_empty_file_with_a_header_lands_empty(place: Workplace) -> None:
    deliver(place, b"Invoice No,Name,Amount,Issued\n")
    contract(place)

    assert place.extract()["invoices"].rows == []


def test_missing_file_column_and_folder_are_named(place: Workplace) -> None:
    deliver(place, b"Invoice No,Name,Issued\n")
    contract(place)
    with pytest.raises(DriftError, match=r"column Amount of billing\.invoices is missing"):
        place.extract()

    contract(place, path="other.csv")
    with pytest.raises(DriftError, match=r"the file other\.csv of billing\.invoices is missing"):
        place.extract()

    place.url = "file:///nowhere/at/all"
    with pytest.raises(SourceError, match="/nowhere/at/all"):
        place.extract()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("invoices.csv", b"\x1f\x8b\x08\x00 this is no gzip"),
        ("invoices.csv", gzip.compress(b"Invoice No,Name,Amount,Issued\n" * 9)[:-9]),
        ("invoices.parquet", b"PAR1 this is no parquet PAR1"),
    ],
    ids=["no gzip", "gzip cut short", "no parquet"],
)
def test_files_that_cannot_be_read_stop_with_their_name(
    place: Workplace, name: str, content: bytes
) -> None:
    deliver(place, content, name)
    contract(place, path=name, format=name.partition(".")[2])

    with pytest.raises(SourceError, match=r"file of billing\.invoices cannot be read") as stopped:
        place.extract()

    assert name in str(stopped.value)
    assert "this is no" not in str(stopped.value)


def test_a_file_that_changes_while_it_is_read_stops_the_run(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"Invoice No,Name,Amount,Issued\nB1,a,1,03/01/2012\n"
    path = deliver(place, content)
    contract(place)
    batches = delimited.batches

    def grow(*arguments: Any) -> Any:
        yield from batches(*arguments)
        with path.open("ab") as file:
            file.write(b"B2,b,2,03/01/2012\n")

    monkeypatch.setattr(delimited, "batches", grow)

    with pytest.raises(SourceError, match="changed while they were read"):
        place.extract()
    assert list(place.root.glob("home/landing/**/*.parquet")) == []


def test_links_out_of_the_folder_are_refused(place: Workplace) -> None:
    secret = place.root / "secret.csv"
    secret.write_bytes(b"Invoice No,Name,Amount,Issued\n")
    deliver(place, b"", "other.csv").with_name("invoices.csv").symlink_to(secret)
    contract(place)

    with pytest.raises(SourceError, match="outside the source folder"):
        place.extract()
