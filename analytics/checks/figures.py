"""Figures that others published, or that must hold, beside those found.

In: expected figures as text (`"0.243"`: equal to the printed digits; `">= 0.84"`, `"<= 0.03"`: a
bound), found figures as numbers. Out: lines, a table on the screen. Touches: reads its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from kehu.errors import AnalysisError

Found = Mapping[str, float | Decimal]


@dataclass(frozen=True)
class Line:
    """One compared figure."""

    data: str
    name: str
    expected: str
    found: float | Decimal | None

    @property
    def bound(self) -> str:
        """`>=` or `<=` where a figure is a bound, else nothing."""
        return self.expected[:2] if self.expected[:2] in (">=", "<=") else ""

    @property
    def shown(self) -> str:
        """The figure found, with as many digits as the expected one."""
        if self.found is None:
            return "missing"
        places = -int(Decimal(self.expected.removeprefix(self.bound).strip()).as_tuple().exponent)
        return f"{Decimal(str(self.found)):.{places + (2 if self.bound else 0)}f}"

    @property
    def ok(self) -> bool:
        if self.found is None:
            return False
        if self.bound:
            limit = float(self.expected[2:])
            return float(self.found) >= limit if self.bound == ">=" else float(self.found) <= limit
        return self.shown == self.expected


def expected_in(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Data set to figure to what it should be."""
    expected: Mapping[str, Mapping[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return expected


def public_set(data: Path, name: str) -> Path:
    """The folder of a set below `data`."""
    folder = data / name
    if not folder.is_dir():
        raise AnalysisError(
            "A public set is missing.", where=str(folder), do="give the folder of all sets"
        )
    return folder


def compared(data: str, expected: Mapping[str, str], found: Found) -> list[Line]:
    """A line for every expected figure."""
    return [Line(data, figure, text, found.get(figure)) for figure, text in expected.items()]


def wide() -> Console:
    """The screen, or a file, with one line per figure."""
    console = Console()
    console.width = max(console.width, 110)
    return console


def show(lines: Sequence[Line], console: Console) -> int:
    """Print the comparison; the exit status: 1 on a difference."""
    table = Table("data", "figure")
    for name in ("expected", "found"):
        table.add_column(name, justify="right")
    table.add_column("")
    for line in lines:
        table.add_row(
            line.data, line.name, line.expected, line.shown, "ok" if line.ok else "DIFFERENT"
        )
    console.print(table)
    wrong = sum(not line.ok for line in lines)
    console.print(
        f"{len(lines)} figures, " + (f"{wrong} different" if wrong else "all as expected")
    )
    return 1 if wrong else 0
