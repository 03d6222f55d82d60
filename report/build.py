"""Build the pages: HTML files that work offline and link to each other.

In: the published file of `settings`, read-only. Out: `<home>/report/index.html` and, beside it, a
page about value and one about credit; each complete in itself (no script, no font, no picture from
elsewhere). Touches these files only; each appears by one rename. The same publication gives the
same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from kehu.settings import SYSTEMS, Settings
from report import credit, value, wording
from report.parts import Row, Section
from report.published import Content, Reader, read
from warehouse.connection import read_published

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """One file: its name, its title, what it answers, and the sections it is made of."""

    file: str
    title: str
    question: str
    sections: Sequence[Section] = ()


def build(settings: Settings) -> Path:
    """Write the pages about what is published now, and give the path of the first."""
    # the link is followed once, so that the version named on the pages is the one that was read
    published = settings.published_file.resolve()
    with read_published(published) as connection:
        reader = Reader(connection, published.stem)
        content = read(reader)
        pages = (
            Page("index.html", "Overview", ""),
            Page("value.html", "Value", "What customers are worth", list(value.sections(reader))),
            Page(
                "credit.html",
                "Credit",
                "How far customers may be trusted",
                list(credit.sections(reader)),
            ),
        )
    settings.run_reports.mkdir(mode=0o700, parents=True, exist_ok=True)
    for page in reversed(pages):  # the first one last: what it links to is there already
        target = settings.run_reports / page.file
        hidden = target.with_name(f".{target.name}")
        hidden.write_text(render(page, pages, content), encoding="utf-8")
        hidden.chmod(0o600)
        hidden.replace(target)
    return settings.run_reports / pages[0].file


def render(page: Page, pages: Sequence[Page], content: Content) -> str:
    """A page as text."""
    stages = _stages(content)
    template = "sections.html.j2" if page.sections else "overview.html.j2"
    return (
        _environment()
        .get_template(template)
        .render(
            page=page,
            pages=pages,
            content=content,
            words=wording,
            systems=[(system, wording.SYSTEM_NAMES[system]) for system in SYSTEMS],
            by_system=_by_system(content.tables),
            total=_total(content.tables),
            stages=stages,
            longest_stage=max((stage["seconds"] for stage in stages), default=0),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    names = ("whole", "money", "compact", "percent", "seconds", "figure", "signed", "month")
    environment.filters |= {name: getattr(wording, name) for name in names}
    environment.globals |= {"share": wording.share, "width": width}
    return environment


def width(part: Any, longest: Any) -> str:
    """Length of a bar as CSS; what is there stays visible."""
    length = 100 * wording.share(part, longest)
    return f"{max(length, 0.6):.2f}%" if length > 0 else "0%"


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
