"""The page of metrics, derived from the YAML of `value.customer_metrics`.

In: the dbt project. Out: the text of `docs/metrics.md`: description, formula, unit, source and
catalogue entry of every metric. Touches that file only when asked to write; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kehu.errors import WarehouseError
from kehu.settings import CLONE

PAGE = CLONE / "docs" / "metrics.md"
KEYS = {"as_of_date", "customer_id", "currency_code"}
_FACTS = ("formula", "unit", "source", "catalogue")
_HEAD = """# Metrics

Written from the YAML of the models by `python -m warehouse metrics --write`: change
`dbt_project/models/metrics/_metrics__models.yml`, not this page.

`value.customer_metrics` has one row per as-of date and customer first seen on or before it. 12
months are (as_of_date - 12 months, as_of_date]; nothing after the as-of date is seen. Empty means
that nothing is known, never zero. Amounts are in the reporting currency.

| metric | what | formula | unit | source | catalogue |
|---|---|---|---|---|---|
"""


def text(project: Path) -> str:
    """The page; raises WarehouseError that names a metric without one of its facts."""
    path = project / "models" / "metrics" / "_metrics__models.yml"
    models = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    (table,) = (model for model in models if model["name"] == "customer_metrics")
    rows = [_row(column, path) for column in table["columns"] if column["name"] not in KEYS]
    return _HEAD + "".join(rows)


def _row(column: dict[str, Any], path: Path) -> str:
    facts = column.get("config", {}).get("meta", {})
    missing = [fact for fact in _FACTS if not facts.get(fact)]
    if missing:
        raise WarehouseError(
            f"The metric {column['name']} does not say its {', '.join(missing)}.",
            where=str(path),
            do="write it under config.meta of the column",
        )
    cells = [f"`{column['name']}`", column["description"], *(str(facts[fact]) for fact in _FACTS)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
