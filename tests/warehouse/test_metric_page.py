"""The page of metrics says what the YAML says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kehu.errors import WarehouseError
from kehu.settings import CLONE
from warehouse import metric_page

PROJECT = CLONE / "dbt_project"


def test_the_page_is_current() -> None:
    told = metric_page.PAGE.read_text(encoding="utf-8")
    assert told == metric_page.text(PROJECT), "run python -m warehouse metrics --write"


def test_a_metric_without_its_formula_is_named(tmp_path: Path) -> None:
    source = "models/metrics/_metrics__models.yml"
    path = tmp_path / source
    path.parent.mkdir(parents=True)
    shutil.copy(PROJECT / source, path)
    text = path.read_text(encoding="utf-8")
    formula = 'formula: "collected_12m / billed_12m"'
    assert text.count(formula) == 1
    path.write_text(text.replace(formula, 'formula: ""'), encoding="utf-8")
    with pytest.raises(WarehouseError, match="collection_rate does not say its formula"):
        metric_page.text(tmp_path)
