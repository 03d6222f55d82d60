"""Where a table comes from when its source is no database: a file in a folder, or an HTTP API.

In: the `servers` block of a contract document. Out: `FileSource` or `ApiSource`; what is wrong with
the block, as sentences. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Check = Callable[[Mapping[str, Any], Any, str], Iterable[str]]

FORMATS = ("csv", "parquet", "xlsx")

_FILE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "delimiter": {"type": "string", "minLength": 1, "maxLength": 1},
        "quote": {"type": "string", "maxLength": 1},
        "escape": {"type": "string", "maxLength": 1},
        "decimal": {"enum": [".", ","]},
        "sheet": {"type": "string"},
        "headerRow": {"type": "integer", "minimum": 1},
    },
}
_API: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": {"type": "string", "pattern": "^/"},
        "records": {"type": "string"},
        "total": {"type": "string"},
        "requestsPerSecond": {"type": "number", "exclusiveMinimum": 0},
        "paging": {
            "type": "object",
            "additionalProperties": False,
            "required": ["style"],
            "properties": {
                "style": {"enum": ["none", "link", "cursor", "page", "offset"]},
                "next": {"type": "string"},
                "parameter": {"type": "string"},
                "first": {"type": "integer"},
                "sizeParameter": {"type": "string"},
                "size": {"type": "integer", "minimum": 1},
            },
            "allOf": [
                {
                    "if": {"properties": {"style": {"const": "cursor"}}},
                    "then": {"required": ["next", "parameter"]},
                },
                {
                    "if": {"properties": {"style": {"enum": ["page", "offset"]}}},
                    "then": {"required": ["parameter"]},
                },
            ],
        },
    },
}


@dataclass(frozen=True)
class FileSource:
    """A table in a folder of files: csv, parquet or xlsx.

    `header_row` (from 1) is the line of a CSV or the row of a sheet with the names; what stands
    above it is left out. Of a CSV: `quote` (empty: none), `escape` (empty: a quote is doubled),
    `decimal`, the mark before the decimals of its numbers. `sheet` (None: the first) is of a
    workbook.
    """

    path: str
    format: str
    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str = '"'
    escape: str = ""
    decimal: str = "."
    sheet: str | None = None
    header_row: int = 1


@dataclass(frozen=True)
class ApiSource:
    """A table behind an HTTP API that answers JSON, page by page.

    `records` and `total` are dotted paths in an answer (None: the answer is the list; no total).
    `paging` is how the next page is found: `link` (a URL at `next`, or in the Link header),
    `cursor` (a value at `next`, sent as `parameter`), `page` or `offset` (a number, sent as
    `parameter`, until a page is empty or `total` is reached), `none`.
    """

    path: str
    records: str | None = None
    total: str | None = None
    requests_per_second: float | None = None
    paging: str = "none"
    next: str | None = None
    parameter: str = ""
    first: int | None = None
    size_parameter: str | None = None
    size: int | None = None


def file_of(servers: Sequence[Mapping[str, Any]], custom: Any) -> FileSource | None:
    """The file of a document's servers; `custom` reads the custom properties of one."""
    server = next((s for s in servers if s["type"] == "local"), None)
    if server is None:
        return None
    more = custom(server)
    return FileSource(
        path=server["path"],
        format=server["format"],
        delimiter=more.get("delimiter", ","),
        encoding=server.get("encoding") or "utf-8",
        quote=more.get("quote", '"'),
        escape=more.get("escape", ""),
        decimal=more.get("decimal", "."),
        sheet=more.get("sheet"),
        header_row=more.get("headerRow", 1),
    )


def api_of(servers: Sequence[Mapping[str, Any]], custom: Any) -> ApiSource | None:
    """The API of a document's servers."""
    server = next((s for s in servers if s["type"] == "api"), None)
    if server is None:
        return None
    more = custom(server)
    paging = more.get("paging") or {"style": "none"}
    return ApiSource(
        path=more["path"],
        records=more.get("records"),
        total=more.get("total"),
        requests_per_second=more.get("requestsPerSecond"),
        paging=paging["style"],
        next=paging.get("next"),
        parameter=paging.get("parameter", ""),
        first=paging.get("first"),
        size_parameter=paging.get("sizeParameter"),
        size=paging.get("size"),
    )


def problems(servers: Sequence[Mapping[str, Any]], custom: Any, check: Check) -> Iterable[str]:
    """What is wrong: a path outside its folder, an unknown format, a property that is none."""
    for server in servers:
        if server.get("type") == "local":
            path = Path(str(server.get("path")))
            if path.is_absolute() or ".." in path.parts:
                yield f"$.servers: the path {str(path)!r} must lie below the source folder"
            if server.get("format") not in FORMATS:
                yield (
                    f"$.servers: the format must be one of {', '.join(FORMATS)}, "
                    f"not {server.get('format')!r}"
                )
            yield from check(_FILE, custom(server), "$.servers.customProperties")
        elif server.get("type") == "api":
            yield from check(_API, custom(server), "$.servers.customProperties")
