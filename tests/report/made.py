"""A small published file, and pages as text by section."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb

from kehu.settings import Settings

_TABLES = Path(__file__).with_name("published.sql")
_VOID = ("meta", "br")


def publish(settings: Settings, *, empty: bool = False, without: str = "", sql: str = "") -> Path:
    """Publish ten customers; `sql` changes them. Gives the file."""
    version = settings.published / "kehu-20260131T010000Z-ab12.duckdb"
    version.parent.mkdir(parents=True)
    with duckdb.connect(str(version)) as connection:
        connection.execute(_TABLES.read_text(encoding="utf-8"))
        if empty:
            tables = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables"
            ).fetchall()
            for (table,) in tables:
                connection.execute(f"delete from {table}")
        if without:
            connection.execute(f"drop table {without}")
        if sql:
            connection.execute(sql)
    settings.published_file.symlink_to(version.name)
    return version


class Text(HTMLParser):
    """Text of a page by section, every address and id it names, and tags left open."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.charts: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self._section = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "section":
            self._section = str(found["id"])
        if tag == "svg" and found.get("role") == "img":
            self.charts.append(found)
        self.addresses += [str(found[name]) for name in ("href", "src") if name in found]
        self.ids += [str(found["id"])] if "id" in found else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        text = self.sections.get(self._section, "") + " " + data
        self.sections[self._section] = re.sub(r"\s+", " ", text)


def read(page: Path) -> Text:
    text = Text()
    text.feed(page.read_text(encoding="utf-8"))
    assert text.open == []
    return text


def sections(folder: Path) -> dict[str, str]:
    """Text of all sections of all pages."""
    found: dict[str, str] = {}
    for name in PAGES:
        found |= read(folder / name).sections
    return found


PAGES = ("index.html", "value.html", "credit.html")
