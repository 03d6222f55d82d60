"""docs/coverage.md names only what exists, and every entry that is to be answered."""

from __future__ import annotations

import csv
import re

import yaml

from kehu.settings import CLONE

PROJECT = CLONE / "dbt_project"
PAGE = CLONE / "docs" / "coverage.md"
ENTRIES = (
    "S000-08 S000-15 S000-16 S000-20 S000-21 S000-22 S000-24 S000-25 S000-33 S000-34 S000-35 "
    "S000-36 S000-47 S000-48 S000-49 S000-50 S000-51 S000-60 S000-61 S000-62 S000-63 S000-64 "
    "S000-65 S000-66 S000-67 S000-70 S000-71 S000-72 S000-73 S000-74 S000-79 S000-80 S000-85 "
    "S000-86 S000-89 S000-96 S000-99 S000-100 S001-02 S001-07 S001-08 S001-09 S001-10 S001-13 "
    "S001-15 S001-18 S001-24 S001-37 S002-01 S002-02 S002-03 S002-04 S002-05 S002-14 S003-30 "
    "S003-31 S003-32 S003-33 S003-34 S003-40 S004-22 S004-23 S004-27 S004-28 S004-29 S004-30"
)


def _published() -> set[str]:
    """`schema.table` and `schema.table.column` of every model with a contract, from its YAML."""
    schemas = {"metrics": "value", "schemes": "value", "value": "value", "credit": "credit",
               "sales": "sales", "customer": "customer", "serving": "customer"}  # fmt: skip
    names = set()
    for folder, schema in schemas.items():
        for path in (PROJECT / "models" / folder).glob("*__models.yml"):
            for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                if model["name"].startswith("int_"):
                    continue
                table = f"{schema}.{model['name']}"
                names |= {table, *(f"{table}.{one['name']}" for one in model["columns"])}
    return names


def _schemes() -> set[str]:
    with (PROJECT / "seeds" / "schemes" / "schemes.csv").open(encoding="utf-8") as file:
        return {row["scheme"] for row in csv.DictReader(file)}


def unknown(page: str, published: set[str], schemes: set[str]) -> list[str]:
    """Names of the page that nothing has."""
    named = set(re.findall(r"`((?:value|credit|customer|service|sales)\.[a-z0-9_.]+)`", page))
    asked = set(re.findall(r"scheme `([a-z0-9_]+)`", page))
    return sorted((named - published) | {f"scheme {one}" for one in asked - schemes})


def test_every_name_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(re.findall(r"`value\.", page)) > 40
    assert unknown(page, _published(), _schemes()) == []


def test_every_entry_is_told_once() -> None:
    told = re.findall(r"^\| (S\d{3}-\d+) ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(ENTRIES.split()) <= set(told)
    assert len(told) == len(set(told))


def test_a_name_that_nothing_has_is_found() -> None:
    planted = "| x | `value.rfm.moods`, `value.rfm`, scheme `rfm`, scheme `zodiac` |"
    assert unknown(planted, _published(), _schemes()) == ["scheme zodiac", "value.rfm.moods"]
