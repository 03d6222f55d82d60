"""An Excel workbook (.xlsx, .xlsm) as it lies in the file: rows of cells with kind and text.

In: a path and the name of a sheet. Out: `Cell`s, row by row. Touches: reads the file; memory holds
one row and the table of shared texts.

Excel readers that give Python values lose some of them without a word: an error such as #N/A
becomes an empty cell, the 60th day of 1900 becomes the 59th, 1e400 becomes infinite. Here every
cell comes with its kind, and `extract.connectors.excel` decides what fits.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple
from xml.etree import ElementTree

_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DATES = {*range(14, 18), 22, *range(27, 37), *range(50, 59)}
_TIMES = {18, 19, 20, 21, 45, 47}
_ELAPSED = {46}
_PLAIN = {0, 1, 49}
"""Built-in formats: General, whole numbers, and text show a number by its digits alone."""
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
_LAST_DAY = 2_958_465
_DAY_MS = 86_400_000


class Cell(NamedTuple):
    """One cell: `kind` is text, number, boolean, moment, time, error, or formula (no result).

    A number's text is what the file holds; `plain` says whether Excel shows its digits alone.
    A moment's text is ISO; a moment that no calendar has is an error.
    """

    kind: str
    text: str
    plain: bool = True


class Workbook:
    """An open workbook. Raises `KeyError` when a part or the sheet is missing."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self._main = next(iter(self._related("", "/officeDocument").values()))

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def rows(self, sheet: str | None) -> Iterator[tuple[int, dict[int, Cell]]]:
        """Numbers of the rows, from 1, and their cells that hold something, by column, from 0."""
        row_number = 0
        with self._zip.open(self._sheet(sheet)) as file:
            for element in _elements(file, "row"):
                row_number = int(element.get("r") or row_number + 1)
                cells: dict[int, Cell] = {}
                place = -1
                for item in element:
                    if found := _REFERENCE.fullmatch(item.get("r") or ""):
                        place = _column(found[1])
                    else:
                        place += 1
                    if cell := self._cell(item):
                        cells[place] = cell
                yield row_number, cells
                element.clear()

    def _cell(self, item: ElementTree.Element) -> Cell | None:
        kind = item.get("t", "n")
        parts = {child.tag.rpartition("}")[2]: child for child in item}
        if kind == "inlineStr":
            return Cell("text", _text(parts["is"])) if "is" in parts else None
        value = parts["v"].text or "" if "v" in parts else None
        if value is None or (value == "" and kind != "str"):
            return Cell("formula", "formula without a result") if "f" in parts else None
        if kind == "s":
            return Cell("text", self._texts[int(value)])
        if kind == "str":
            return Cell("text", _unescaped(value))
        if kind == "b":
            return Cell("boolean", "FALSE" if value == "0" else "TRUE")
        if kind == "d":
            return Cell("moment", value.replace("T", " ").removesuffix("Z"))
        if kind == "e":
            return Cell("error", value)
        return self._number(value, int(item.get("s") or 0))

    def _number(self, value: str, style: int) -> Cell:
        if not _NUMBER.fullmatch(value):
            return Cell("error", value)
        form = self._formats[style] if style < len(self._formats) else "plain"
        if form == "moment" or (form == "time" and Decimal(value) >= 1):
            return _moment(value, self._from_1904)
        if form in ("time", "elapsed"):
            seconds, thousandths = divmod(round(Decimal(value) * _DAY_MS), 1000)
            text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            return Cell("time", f"{text}.{thousandths:03d}" if thousandths else text)
        return Cell("number", value, form == "plain")

    def _related(self, part: str, kind: str) -> dict[str, str]:
        """Names of the parts that a part refers to, by the id of the reference."""
        folder, name = posixpath.split(part)
        with self._zip.open(posixpath.join(folder, "_rels", f"{name}.rels")) as file:
            return {
                each.get("Id", ""): posixpath.normpath(
                    posixpath.join("/", folder, each.get("Target", ""))
                ).lstrip("/")
                for each in _elements(file, "Relationship")
                if each.get("Type", "").endswith(kind)
            }

    def _sheet(self, wanted: str | None) -> str:
        with self._zip.open(self._main) as file:
            for sheet in _elements(file, "sheet"):
                if wanted in (None, sheet.get("name")):
                    key = next(v for k, v in sheet.items() if k.endswith("}id"))
                    return self._related(self._main, "/worksheet")[key]
        raise KeyError("sheet")

    @cached_property
    def _from_1904(self) -> bool:
        with self._zip.open(self._main) as file:
            return any(e.get("date1904") in ("1", "true") for e in _elements(file, "workbookPr"))

    @cached_property
    def _texts(self) -> list[str]:
        (part,) = self._related(self._main, "/sharedStrings").values()
        with self._zip.open(part) as file:
            return [_text(element) for element in _elements(file, "si")]

    @cached_property
    def _formats(self) -> list[str]:
        """What the format of each style makes of a number: plain, moment, time, elapsed, other."""
        parts = list(self._related(self._main, "/styles").values())
        if not parts:
            return []
        with self._zip.open(parts[0]) as file:
            root = ElementTree.parse(file).getroot()  # noqa: S314 - see `_elements`
        codes = {int(e.get("numFmtId", 0)): e.get("formatCode", "") for e in _all(root, "numFmt")}
        styles = next(iter(_all(root, "cellXfs")), ())
        return [_form(int(style.get("numFmtId") or 0), codes) for style in styles]


def _form(number: int, codes: Mapping[int, str]) -> str:
    if number not in codes:
        for form, known in (("moment", _DATES), ("time", _TIMES), ("elapsed", _ELAPSED)):
            if number in known:
                return form
        return "plain" if number in _PLAIN else "other"
    code = _LITERAL.sub("", codes[number]).partition(";")[0].lower()
    if re.search(r"\[(h+|m+|s+)\]", code):
        return "elapsed"
    code = re.sub(r"\[[^]]*\]", "", code)
    if code in ("general", "0", "@"):
        return "plain"
    if re.search("[yd]", code):
        return "moment"
    if re.search("[hs]", code):
        return "time"
    return "moment" if "m" in code else "other"


def _moment(value: str, from_1904: bool) -> Cell:
    """A day number as a moment, to the millisecond, which is the finest that Excel shows."""
    days, thousandths = divmod(round(Decimal(value) * _DAY_MS), _DAY_MS)
    if from_1904:
        start, known = datetime(1904, 1, 1), 0 <= days <= _LAST_DAY - 1462  # noqa: DTZ001
    else:
        # Excel's 1900 has a 29th of February, day 60, which no calendar has.
        start = datetime(1899, 12, 31 if days < 60 else 30)  # noqa: DTZ001 - cells have no zone
        known = 1 <= days <= _LAST_DAY and days != 60
    if not known:
        return Cell("error", value)
    text = str(start + timedelta(days=days, milliseconds=thousandths))
    return Cell("moment", text.removesuffix(" 00:00:00"))


def _elements(file: IO[bytes], name: str) -> Iterator[ElementTree.Element]:
    """Elements of a name as they end, wherever they stand, under either of the two namespaces."""
    # Expat refuses entities that expand out of proportion.
    for _, element in ElementTree.iterparse(file):  # noqa: S314
        if element.tag.rpartition("}")[2] == name:
            yield element


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if e.tag.rpartition("}")[2] == name]


def _text(element: ElementTree.Element) -> str:
    """The runs of a text, without the phonetic ones."""
    if element.tag.endswith("}rPh"):
        return ""
    if element.tag.endswith("}t"):
        return _unescaped(element.text or "")
    return "".join(map(_text, element))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1
