"""Build the page: one HTML file that works offline.

In: the published file of `settings`, read-only. Out: `<home>/report/index.html`, complete in
itself (no script, no font, no picture from elsewhere). Touches that file only; it appears by one
rename. The same publication gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from kehu.settings import SYSTEMS, Settings
from report import predictions, wording
from report.published import BUCKETS, Content, Row, read, share
from warehouse.connection import read_published

TEMPLATES = Path(__file__).parent / "templates"


def build(settings: Settings) -> Path:
    """Write the page about what is published now, and give its path."""
    # the link is followed once, so that the version named on the page is the one that was read
    published = settings.published_file.resolve()
    with read_published(published) as connection:
        content = read(connection, published.stem)
    target = settings.run_reports / "index.html"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}")
    hidden.write_text(render(content), encoding="utf-8")
    hidden.replace(target)
    return target


def render(content: Content) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "whole": wording.whole,
        "money": wording.money,
        "compact": wording.compact,
        "percent": wording.percent,
        "seconds": wording.seconds,
        "words": predictions.words,
    }
    environment.globals |= {"share": share, "width": width, "longest_share": longest_share}
    label = _Labels(content)
    stages = _stages(content)
    return environment.get_template("page.html.j2").render(
        content=content,
        label=label,
        words=wording,
        systems=[(system, wording.SYSTEM_NAMES[system]) for system in SYSTEMS],
        by_system=_by_system(content.tables),
        total=_total(content.tables),
        stages=stages,
        longest_stage=max((stage["seconds"] for stage in stages), default=0),
        heat=_heat(content.heat),
        ageing=_ageing(content.ageing),
        history=_history(content.ageing_history),
        buckets=BUCKETS,
    )


def width(part: Any, longest: Any) -> str:
    """Length of a bar as CSS; what is there stays visible."""
    length = 100 * share(part, longest)
    return f"{max(length, 0.6):.2f}%" if length > 0 else "0%"


def longest_share(rows: Sequence[Row]) -> float:
    """The largest share that one row has of all customers or of all purchases."""
    customers = sum(row["customers"] for row in rows)
    amount = sum(row["monetary"] or 0 for row in rows)
    return max(
        max(share(row["customers"], customers), share(row["monetary"], amount)) for row in rows
    )


class _Labels:
    """English and Chinese label of a class of a scheme; the code itself where none is published."""

    def __init__(self, content: Content) -> None:
        self._labels = content.labels

    def english(self, scheme: str, code: str | None) -> str:
        if code is None:
            return "–"
        known = self._labels.get((scheme, code))
        return known[0] if known else code.replace("_", " ").capitalize()

    def chinese(self, scheme: str, code: str | None) -> str:
        known = self._labels.get((scheme, code or ""))
        return known[1] if known else ""


_COUNTED = (
    "source",
    "landed",
    "loaded",
    "quarantined",
    "duplicate",
    "extract_seconds",
    "validate_seconds",
    "load_seconds",
)


def _total(rows: Sequence[Row]) -> Row:
    """Sums over tables."""
    summed: Row = {name: sum(row[name] for row in rows) for name in _COUNTED}
    return summed | {"tables": len(rows), "adds_up": all(row["adds_up"] for row in rows)}


def _by_system(rows: Sequence[Row]) -> list[Row]:
    """Sums per system, with the system's tables."""
    found = []
    for system in dict.fromkeys(row["system"] for row in rows):
        tables = [row for row in rows if row["system"] == system]
        name = wording.SYSTEM_NAMES.get(system, system)
        found.append(_total(tables) | {"system": system, "name": name, "rows": tables})
    return found


def _stages(content: Content) -> list[Row]:
    """Seconds of each stage over all tables, then of the layers of the last build.

    A publication that tells no layers tells how long the last run of each DAG took.
    """
    total = _total(content.tables)
    stages = [
        {"name": name.capitalize(), "seconds": total[f"{name}_seconds"]}
        for name in ("extract", "validate", "load")
    ]
    if content.layers:
        return stages + [
            {"name": f"Build: {row['stage']}", "seconds": row["seconds"]} for row in content.layers
        ]
    return stages + [
        {"name": row["dag_id"], "seconds": row["seconds"]}
        for row in reversed(content.runs)
        if row["seconds"] is not None
    ]


def _heat(cells: Sequence[Row]) -> Row:
    """The 5 x 5 field: recency down (5 on top), frequency across."""
    counted = {(cell["r_score"], cell["f_score"]): cell for cell in cells}
    most = max((cell["customers"] for cell in cells), default=0)
    total = sum(cell["customers"] for cell in cells)
    amount = sum(cell["monetary"] or 0 for cell in cells)
    empty: Row = {"customers": 0, "monetary": 0}
    return {
        "total": total,
        "rows": [
            (
                recency,
                [
                    (found := counted.get((recency, frequency), empty))
                    | {
                        "frequency": frequency,
                        "warmth": share(found["customers"], most) ** 0.7,
                        "amount_share": share(found["monetary"], amount),
                    }
                    for frequency in range(1, 6)
                ],
            )
            for recency in range(5, 0, -1)
        ],
    }


def _ageing(cells: Sequence[Row]) -> Row:
    """Per grade: not due, overdue, and the overdue buckets."""
    grades = sorted({cell["grade"] for cell in cells}, key=lambda grade: (grade == "none", grade))
    rows = []
    for grade in grades:
        held = {c["bucket"]: c["open_amount"] for c in cells if c["grade"] == grade}
        late = sum(held.get(bucket, 0) for bucket in BUCKETS)
        rows.append(
            {"grade": grade, "held": held, "not_due": held.get("not due", 0), "overdue": late}
        )
    return {
        "rows": rows,
        "most_not_due": max((row["not_due"] for row in rows), default=0),
        "most_overdue": max((row["overdue"] for row in rows), default=0),
        "not_due": sum(row["not_due"] for row in rows),
        "overdue": sum(row["overdue"] for row in rows),
        "buckets": {b: sum(row["held"].get(b, 0) for row in rows) for b in BUCKETS},
    }


def _history(cells: Sequence[Row]) -> Row:
    """Per as-of date: the overdue buckets."""
    dates = sorted({cell["as_of_date"] for cell in cells})
    rows = []
    for day in dates:
        held = {c["bucket"]: c["open_amount"] for c in cells if c["as_of_date"] == day}
        late = sum(held.get(bucket, 0) for bucket in BUCKETS)
        rows.append({"day": day, "held": held, "overdue": late, "not_due": held.get("not due", 0)})
    return {"rows": rows, "most": max((row["overdue"] for row in rows), default=0)}
