"""Excel: every kind of cell arrives as the file holds it, or is reported with what it holds."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine

from extract import dates
from extract.connectors.workbook import Workbook
from kehu.errors import DriftError, SourceError
from tests.extract.conftest import Workplace, column, key

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DATE, MOMENT, ELAPSED, ZEROS, PERCENT, CHINESE = range(1, 7)
"""Styles of the workbooks here; 0 is General."""


def text(value: str) -> str:
    return f't="inlineStr"><is><t xml:space="preserve">{value}</t></is>'


def shared(number: int) -> str:
    return f't="s"><v>{number}</v>'


def number(value: str, style: int = 0) -> str:
    return f's="{style}"><v>{value}</v>'


def error(value: str) -> str:
    return f't="e"><v>{value}</v>'


def workbook(
    path: Path,
    rows: Sequence[Sequence[str | None]],
    *,
    date1904: bool = False,
    sheet: str = "Bills",
) -> Path:
    """A workbook as Excel writes it; a cell is the rest of its element, None for no cell."""
    lines = [
        f'<row r="{r}">'
        + "".join(f'<c r="{chr(65 + c)}{r}" {cell}</c>' for c, cell in enumerate(cells) if cell)
        + "</row>"
        for r, cells in enumerate(rows, 1)
        if cells
    ]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1"'
        f' Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}" xmlns:r="{OFFICE}">'
        f'<workbookPr date1904="{int(date1904)}"/><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{OFFICE}/styles" Target="/xl/styles.xml"/>'
        f'<Relationship Id="r3" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{NAMESPACE}"><numFmts>'
        '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
        '<numFmt numFmtId="165" formatCode="00000"/>'
        '<numFmt numFmtId="166" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/>'
        "</numFmts><cellXfs>"
        + "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, 164, 46, 165, 10, 166))
        + "</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{NAMESPACE}"><si><t>刘伟 😀</t></si>'
        "<si><r><t xml:space='preserve'>two </t></r><r><t>runs</t></r>"
        "<rPh sb='0' eb='1'><t>left out</t></rPh></si>"
        "</sst>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{NAMESPACE}"><sheetData>'
        + "".join(lines)
        + "</sheetData></worksheet>",
    }
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


COLUMNS = [
    key("no"),
    column("amount", "decimal(18,2)"),
    column("note", "varchar"),
    column("issued", "date"),
    column("paid_at", "timestamp"),
    column("months", "integer"),
    column("is_final", "boolean"),
]
HEADER = [text(each["name"]) for each in COLUMNS]


def deliver(place: Workplace, rows: Sequence[Sequence[str | None]], **more: bool) -> None:
    path = workbook(place.root / "inbox" / "bills.xlsx", [HEADER, *rows], **more)  # type: ignore[arg-type]
    place.url = f"file://{path.parent}"
    place.contract("bills", COLUMNS, file={"path": "*.xlsx", "format": "xlsx"}, deletes="snapshot")


def test_each_kind_of_cell_is_exact_or_reported(place: Workplace) -> None:
    deliver(
        place,
        [
            [text("01"), number("1234.5600000000001"), shared(0), number("46053", DATE),
             number("46053.500011574077", MOMENT), number("12"), 't="b"><v>1</v>'],
            [text("02"), number("1E-2"), shared(1), number("46053", CHINESE),
             't="d"><v>2026-01-31T10:00:00</v>', number("1E2"), 't="b"><v>0</v>'],
            [text("03"), number("0.30000000000000004"), text(" kept_x000D_ "), number("1", DATE)],
            [text("04"), error("#N/A"), error("#REF!"), error("#DIV/0!"), number("60", DATE),
             number("1.5"), text("maybe")],
            [text("05"), number("12.345"), number("123", ZEROS), number("46053.5", DATE),
             number("-1", MOMENT), number("9007199254740994"), number("1")],
            [text("06"), number("12345678901234567890"), number("9007199254740991"),
             number("0", DATE), number("2958466", MOMENT), '><f>1+1</f>', number("0")],
            [text("07"), text("1.5"), number("0.15", PERCENT), text("2026-01-31"),
             text("2026-01-31 10:00:00"), text("7"), text("TRUE")],
            [],
            [text("09"), None, text(""), None, None, None, None],
            [number("10"), number("1e400"), number("1.5", ELAPSED), number("59", DATE)],
        ],
    )  # fmt: skip

    landed = place.extract()["bills"]

    day, ten = date(2026, 1, 31), datetime.fromisoformat("2026-01-31T10:00:00")
    second = datetime.fromisoformat("2026-01-31T12:00:01")
    assert [tuple(row.values())[:7] for row in landed.rows] == [
        ("01", Decimal("1234.56"), "刘伟 😀", day, second, 12, True),
        ("02", Decimal("0.01"), "two runs", day, ten, 100, False),
        ("03", Decimal("0.30"), " kept\r ", date(1900, 1, 1), None, None, None),
        ("04", None, None, None, None, None, None),
        ("05", None, None, None, None, None, True),
        ("06", None, "9007199254740991", None, None, None, False),
        ("07", Decimal("1.50"), None, day, ten, 7, True),
        ("09", None, "", None, None, None, None),
        ("10", None, "36:00:00", date(1900, 2, 28), None, None, None),
    ]
    assert landed.errors("no") == {
        "04": {"amount": "#N/A", "note": "#REF!", "issued": "#DIV/0!", "paid_at": "60",
               "months": "1.5", "is_final": "maybe"},
        "05": {"amount": "12.345", "note": "123", "issued": "2026-01-31 12:00:00",
               "paid_at": "-1", "months": "9007199254740994"},
        "06": {"amount": "12345678901234567890", "issued": "0", "paid_at": "2958466",
               "months": "formula without a result"},
        "07": {"note": "0.15"},
        "10": {"amount": "1e400"},
    }  # fmt: skip
    assert landed.manifest.control_sums == {"amount": "1236.37"}
    assert landed.manifest.source_rows == landed.manifest.landed_rows == 9


def test_days_since_1904(place: Workplace) -> None:
    deliver(place, [[text("01"), None, None, number("0", DATE)]], date1904=True)

    assert place.extract()["bills"].rows[0]["issued"] == date(1904, 1, 1)


def test_sheet_header_row_positions_and_formats_of_dates(place: Workplace) -> None:
    rows = [
        [text("Report of January")],
        [],
        [text("No"), text("Issued"), text("No")],
        [text("a"), number("46053", DATE), text("x")],
        [],
        [text("b"), text("31/01/2026")],
        [text("c"), number("46053.25", DATE)],
    ]
    path = workbook(place.root / "inbox" / "bills.xlsx", rows, sheet="一月")
    place.url = f"file://{path.parent}"
    columns = [
        column("_row", "bigint", primaryKey=True, primaryKeyPosition=1, required=True),
        column("no", "varchar", physicalName="No"),
        column(
            "issued", "date", physicalName="Issued", logicalTypeOptions={"format": "dd/MM/yyyy"}
        ),
    ]
    more = [{"property": "sheet", "value": "一月"}, {"property": "headerRow", "value": 3}]
    file = {"path": "bills.xlsx", "format": "xlsx", "customProperties": more}
    place.contract("bills", columns, file=file, deletes="snapshot")

    landed = place.extract()["bills"]

    assert [(r["_row"], r["no"], r["issued"]) for r in landed.rows] == [
        (1, "a", date(2026, 1, 31)),
        (3, "b", date(2026, 1, 31)),
        (4, "c", None),
    ]
    assert landed.errors("_row") == {4: {"issued": "2026-01-31 06:00:00"}}

    more[0]["value"] = "二月"
    place.contract("bills", columns, file=file, deletes="snapshot")
    with pytest.raises(SourceError, match="cannot be read") as stopped:
        place.extract()
    assert "sheet and header row" in str(stopped.value)


def test_missing_columns_and_files_that_are_no_workbook_are_named(place: Workplace) -> None:
    path = workbook(place.root / "inbox" / "bills.xlsx", [HEADER[:-1]])
    place.url = f"file://{path.parent}"
    place.contract("bills", COLUMNS, file={"path": "bills.xlsx", "format": "xlsx"})
    with pytest.raises(DriftError, match=r"column is_final of billing\.bills is missing"):
        place.extract()

    whole = path.read_bytes()
    for content in (
        b"\xd0\xcf\x11\xe0 an encrypted workbook or an old one",
        whole[: -len(whole) // 3],
    ):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="cannot be read") as stopped:
            place.extract()
        assert str(path) in str(stopped.value)


def test_a_second_reader_sees_the_same_cells(tmp_path: Path) -> None:
    """Calamine, where Excel itself has one answer: texts, numbers, booleans and ordinary dates."""
    rows = [
        [text(f"B{n}"), number(f"{n * 1.1:.17g}"), number(str(45_000 + n), DATE),
         number(f"{45_000 + n / 86_400:.17g}", MOMENT), f't="b"><v>{n % 2}</v>', shared(n % 2)]
        for n in range(1, 400)
    ]  # fmt: skip
    path = workbook(tmp_path / "inbox" / "a.xlsx", rows)

    theirs = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    with Workbook(path) as book:
        ours = [[cell.text for _, cell in sorted(cells.items())] for _, cells in book.rows(None)]

    assert len(ours) == len(theirs) == 399
    for mine, other in zip(ours, theirs, strict=True):
        assert mine[0] == other[0]
        assert float(mine[1]) == other[1]
        assert mine[2] == str(other[2])
        assert datetime.fromisoformat(mine[3]) == datetime.fromisoformat(str(other[3]))
        assert mine[4] == str(other[4]).upper()
        assert mine[5] == other[5]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [("dd/MM/yyyy", None), ("d.M.yyyy HH:mm:ss", None), ("yyyy'年'M'月'd'日'", "2026年1月5日"),
     ("yyyy/MM/dd HH:mm:ss.SSS", "2026/01/05 03:04:05.000")],
)  # fmt: skip
def test_moments_are_written_in_a_pattern_or_not_at_all(pattern: str, wanted: str | None) -> None:
    moment = datetime.fromisoformat("2026-01-05T03:04:05")
    if wanted and "H" in pattern:
        assert dates.write(moment, pattern) == wanted
    elif wanted:
        assert dates.write(moment.replace(hour=0, minute=0, second=0), pattern) == wanted
    elif "H" in pattern:
        assert dates.write(moment, pattern) == "5.1.2026 03:04:05"
        with pytest.raises(ValueError, match="no place"):
            dates.write(moment + timedelta(microseconds=1), pattern)
    else:
        with pytest.raises(ValueError, match="no place"):
            dates.write(moment, pattern)
