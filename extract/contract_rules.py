"""What a contract document must hold: the standard's schema, and our rules on top of it.

In: a parsed YAML document. Out: what is wrong with it, as sentences that name the place. Touches:
reads the schema of the Open Data Contract Standard from its package.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jsonschema

from extract import contract_servers, dates

CLASSES = ("public", "internal", "personal", "identifier", "health")
"""Privacy classes of a column, from open to closed (`docs/data_model.md`)."""

IDENTIFIERS: Mapping[str, tuple[str, ...]] = {
    "identity_number": ("_norm", "_hash"),
    "phone": ("_norm", "_hash"),
    "email": ("_norm", "_hash"),
    "party_name": ("_norm", "_pinyin"),
    "address": ("_norm",),
    "birth_date": (),
}
"""Kinds of identifier, and the columns the gate adds to the passed file for each."""

ROW_POSITION = "_row"
"""A key column that the file itself does not have: the position of the row in the file, from 1."""

_CUSTOM: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["deletes"],
    "properties": {
        "cursor": {"type": "string"},
        "lookback": {"type": "string", "pattern": r"^PT[0-9]+[HMS]$|^P[0-9]+D$"},
        "freshWithin": {"type": "string", "pattern": r"^PT[0-9]+[HMS]$|^P[0-9]+D$"},
        "clockAhead": {"type": "string", "pattern": r"^PT[0-9]+[HMS]$|^P[0-9]+D$"},
        "timezone": {"type": "string"},
        "period": {"type": "string"},
        "deletes": {"enum": ["none", "flag", "key_compare", "snapshot"]},
        "deletedWhen": {
            "type": "object",
            "additionalProperties": False,
            "required": ["column", "values"],
            "properties": {
                "column": {"type": "string"},
                "values": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            },
        },
        "maxQuarantineShare": {"type": "number", "minimum": 0, "maximum": 1},
        "maxDeleteShare": {"type": "number", "minimum": 0, "maximum": 1},
        "smallestSample": {"type": "integer", "minimum": 1},
        "volume": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "leastShare": {"type": "number", "minimum": 0, "maximum": 1},
                "mostTimes": {"type": "number", "exclusiveMinimum": 1},
                "loads": {"type": "integer", "minimum": 1},
            },
        },
        "drift": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "newColumn": {"enum": ["add", "report", "stop"]},
                "removedColumn": {"enum": ["stop"]},
                "widenedType": {"enum": ["accept", "stop"]},
                "narrowedType": {"enum": ["stop", "quarantine"]},
                "changedType": {"enum": ["stop", "quarantine"]},
            },
        },
        "leftOut": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["column", "why"],
                "additionalProperties": False,
                "properties": {"column": {"type": "string"}, "why": {"type": "string"}},
            },
        },
        "attribution": {"type": "string"},
    },
}
_CUSTOM_COLUMN: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "identifier": {"enum": list(IDENTIFIERS)},
        "nullValues": {"type": "array", "items": {"type": "string"}},
    },
}
DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)$")
_NAME = re.compile(r"^_?[a-z][a-z0-9_]*$")
_LOGICAL: Mapping[str, str] = {
    "varchar": "string",
    "integer": "integer",
    "bigint": "integer",
    "double": "number",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}


@cache
def _standard() -> Any:
    text = importlib.resources.files("open_data_contract_standard").joinpath("schema.json")
    schema = json.loads(text.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def custom_properties(item: Mapping[str, Any]) -> dict[str, Any]:
    """The custom properties of a document or column, by name."""
    return {entry["property"]: entry.get("value") for entry in item.get("customProperties", [])}


def problems_in(document: Any) -> Iterable[str]:
    """What is wrong with a contract document, as sentences."""
    if not isinstance(document, dict):
        yield "the file holds no mapping"
        return
    for error in _standard().iter_errors(document):
        yield f"{error.json_path}: {error.message}"
    tables = document.get("schema") or []
    if len(tables) != 1:
        yield f"$.schema: expected exactly one table, found {len(tables)}"
        return
    yield from _check(_CUSTOM, custom_properties(document), "$.customProperties")
    names: set[str] = set()
    for position, prop in enumerate(tables[0].get("properties") or []):
        where = f"$.schema[0].properties[{position}] ({prop.get('name')})"
        kind = str(prop.get("physicalType"))
        logical = "number" if DECIMAL.match(kind) else _LOGICAL.get(kind)
        if logical is None:
            yield f"{where}: physicalType {kind!r} is none of {', '.join(_LOGICAL)}, decimal(p,s)"
        elif prop.get("logicalType") != logical:
            yield f"{where}: logicalType must be {logical!r} for physicalType {kind!r}"
        if prop.get("classification") not in CLASSES:
            yield f"{where}: classification must be one of {', '.join(CLASSES)}"
        if not _NAME.match(str(prop.get("name"))):
            yield f"{where}: a column name is lower case with underscores"
        if not prop.get("description"):
            yield f"{where}: a column needs a description"
        if prop.get("name") in names:
            yield f"{where}: the column stands twice"
        names.add(prop.get("name"))
        if (match := DECIMAL.match(kind)) and not int(match[2]) <= int(match[1]) <= 38:
            yield f"{where}: a decimal has up to 38 digits, not fewer than its scale"
        yield from _check(_CUSTOM_COLUMN, custom_properties(prop), f"{where}.customProperties")
        yield from _date_format(prop, where)
    if not any(prop.get("primaryKey") for prop in tables[0].get("properties") or []):
        yield "$.schema[0].properties: no column has primaryKey: true"
    if not _NAME.match(str(tables[0].get("name"))):
        yield "$.schema[0].name: a table name is lower case with underscores"
    types = {p.get("name"): p.get("physicalType") for p in tables[0].get("properties") or []}
    custom = custom_properties(document)
    for role in ("cursor", "period"):
        column = custom.get(role)
        if column is not None and column not in names:
            yield f"$.customProperties: the {role} {column!r} is no column of the table"
        elif column is not None and types[column] not in ("timestamp", "date"):
            yield f"$.customProperties: the {role} {column!r} is neither a timestamp nor a date"
    flag = custom.get("deletedWhen") or {}
    if (custom.get("deletes") == "flag") != bool(flag):
        yield "$.customProperties: deletes: flag and deletedWhen need each other"
    elif flag and flag.get("column") not in names:
        yield f"$.customProperties: deletedWhen names {flag.get('column')!r}, which is no column"
    for item in custom.get("leftOut") or []:
        if isinstance(item, dict) and item.get("column") in names:
            yield f"$.customProperties: leftOut names {item['column']!r}, a column of the table"
    servers = document.get("servers") or []
    yield from contract_servers.problems(servers, custom_properties, _check)
    if ROW_POSITION in names and not any(s.get("type") == "local" for s in servers):
        yield f"$.schema[0].properties: {ROW_POSITION} needs a file, which servers does not name"


def _date_format(prop: Mapping[str, Any], where: str) -> Iterable[str]:
    pattern = (prop.get("logicalTypeOptions") or {}).get("format")
    if pattern is None or prop.get("physicalType") not in ("date", "timestamp"):
        return
    try:
        dates.as_regex(str(pattern))
    except ValueError as error:
        yield f"{where}.logicalTypeOptions.format: {pattern!r} cannot be read: {error}"


def _check(schema: Mapping[str, Any], value: Any, where: str) -> Iterable[str]:
    for error in jsonschema.Draft202012Validator(schema).iter_errors(value):
        yield f"{where}: {error.message}"
