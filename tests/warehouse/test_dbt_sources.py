"""dbt's source files are what the contracts say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from extract import contract as contracts_of
from kehu import settings as environment
from warehouse import dbt_sources

CONTRACTS = contracts_of.read_all(environment.load({}).contract_dirs)


def test_committed_files_equal_the_contracts() -> None:
    project = environment.load({}).dbt_project
    if not any(project.glob("models/staging/*/_*__sources.yml")):
        pytest.skip("the source files do not exist yet: python -m warehouse sources --write")
    assert dbt_sources.differences(CONTRACTS, project) == [], (
        "run python -m warehouse sources --write"
    )


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    written = dbt_sources.write(CONTRACTS, tmp_path)
    assert dbt_sources.differences(CONTRACTS, tmp_path) == []
    written[1].write_text(written[1].read_text().replace("varchar", "text", 1))
    assert dbt_sources.differences(CONTRACTS, tmp_path) == [written[1]]


def test_every_column_has_a_class_and_stands_once() -> None:
    for system, text in dbt_sources.texts(CONTRACTS).items():
        (source,) = yaml.safe_load(text)["sources"]
        assert source["name"] == system
        for table in source["tables"]:
            names = [column["name"] for column in table["columns"]]
            assert len(names) == len(set(names)), table["name"]
            assert all(column["config"]["meta"]["classification"] for column in table["columns"])


def test_derived_columns_take_the_class_of_their_column() -> None:
    source = yaml.safe_load(dbt_sources.texts(CONTRACTS)["billing"])["sources"][0]
    accounts = next(table for table in source["tables"] if table["name"] == "accounts")
    classes = {c["name"]: c["config"]["meta"]["classification"] for c in accounts["columns"]}
    assert classes["phone_hash"] == classes["phone_norm"] == classes["phone"] == "identifier"
    assert classes["holder_name_pinyin"] == "personal"
    assert classes["_is_current"] == "internal"
