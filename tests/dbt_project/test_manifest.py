"""What every model owes its readers, and who may read whom; planted violations are refused."""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kehu.settings import CLONE, load
from tests.dbt_project.building import dbt

LAYERS: dict[str, set[str]] = {
    "staging": {"source"},
    # what a source told before stands in raw only
    "records": {"staging", "records", "seed", "source"},
    "identity": {"staging", "records", "identity", "analytics", "seed"},
    "core": {"staging", "identity", "core", "seed"},
    "metrics": {"core", "metrics", "seed"},
    "schemes": {"metrics", "schemes", "seed"},
    "statistics": {"core", "metrics", "statistics", "seed"},
    "customer": {"records", "identity", "core", "customer", "seed"},
    "value": {"core", "metrics", "schemes", "value", "customer", "analytics", "seed"},
    "credit": {"core", "metrics", "schemes", "credit", "customer", "analytics", "seed"},
    "sales": {"core", "metrics", "statistics", "sales", "customer", "analytics", "seed"},
    "serving": {"customer", "value", "credit", "serving", "seed"},
}
"""Folder of a model, and the folders it may read."""

MARTS_ELSEWHERE = {"customer_metrics": "value", "scores": "value", "score_details": "value"}
"""Marts that stand in the folder of the step that makes them."""

MARTS = {"customer", "value", "credit", "sales", "serving"}
OPEN_DOORS = {
    "int_identifiers_set_aside",
    "int_customer_records",
    "int_survivors",
    "int_record_periods",
    "int_identity_changes",
    "int_redirects",
    "int_identity_measures",
    "int_pair_evidence",
    "int_review_pairs",
}
"""What models outside identity may read of it."""

KEY_TESTS = {"unique_combination", "unique"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """dbt's own account of the project: every model, test and what depends on what."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(tmp_path_factory.mktemp("manifest")))
        settings = load()
    outcome = dbt("parse", settings=settings)
    assert outcome.success, outcome.exception
    text = (settings.dbt_target / "manifest.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def _models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }


def _folder(manifest: dict[str, Any], key: str) -> str:
    kind = key.split(".")[0]
    if key.startswith("source.kehu.analytics."):
        return "analytics"
    return kind if kind in ("source", "seed") else str(manifest["nodes"][key]["fqn"][1])


def faults(manifest: dict[str, Any]) -> list[str]:
    """What breaks a rule, as sentences."""
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in KEY_TESTS
    }
    found = []
    for key, node in sorted(_models(manifest).items()):
        name, folder = node["name"], node["fqn"][1]
        sentences = node["description"].replace("\n", " ").strip()
        if "One row per " not in sentences.split(". ")[-1] and ". One row per " not in sentences:
            found.append(f"{name}: the description does not end in its grain ('One row per ...')")
        if key not in tested:
            found.append(f"{name}: no test of its key")
        if (folder in MARTS or name in MARTS_ELSEWHERE) and not node["config"]["contract"][
            "enforced"
        ]:
            found.append(f"{name}: a mart without an enforced contract")
        for parent in node["depends_on"]["nodes"]:
            read = _folder(manifest, parent)
            as_mart = MARTS_ELSEWHERE.get(parent.split(".")[-1])
            if not {read, as_mart} & LAYERS[folder]:
                found.append(f"{name} ({folder}) reads {parent.split('.')[-1]} ({read})")
        of_identity = folder in ("records", "identity")
        if of_identity and node["config"]["group"] != "identity":
            found.append(f"{name}: a step of identity outside the group identity")
        if of_identity and (node["access"] != "private") != (name in OPEN_DOORS):
            found.append(f"{name}: access {node['access']}")
    return found


def test_every_model_keeps_the_rules(manifest: dict[str, Any]) -> None:
    assert len(_models(manifest)) > 100
    assert not faults(manifest), "\n".join(faults(manifest))


@pytest.fixture
def broken(manifest: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(manifest)


def test_missing_grain_is_found(broken: dict[str, Any]) -> None:
    broken["nodes"]["model.kehu.fct_visits"]["description"] = "Visits."
    assert any(fault.startswith("fct_visits: the description") for fault in faults(broken))


def test_missing_key_test_is_found(broken: dict[str, Any]) -> None:
    for node in broken["nodes"].values():
        if node.get("attached_node") == "model.kehu.fct_visits":
            node["attached_node"] = None
    assert "fct_visits: no test of its key" in faults(broken)


def test_mart_without_contract_is_found(broken: dict[str, Any]) -> None:
    broken["nodes"]["model.kehu.dim_customers"]["config"]["contract"]["enforced"] = False
    assert "dim_customers: a mart without an enforced contract" in faults(broken)


def test_mart_that_reads_staging_is_found(broken: dict[str, Any]) -> None:
    node = broken["nodes"]["model.kehu.dim_customers"]
    node["depends_on"]["nodes"].append("model.kehu.stg_his__patients")
    assert "dim_customers (customer) reads stg_his__patients (staging)" in faults(broken)


def test_open_step_of_identity_is_found(broken: dict[str, Any]) -> None:
    broken["nodes"]["model.kehu.int_source_records"]["access"] = "public"
    assert "int_source_records: access public" in faults(broken)


def test_every_contract_has_a_staging_model(manifest: dict[str, Any]) -> None:
    from extract.contract import read_all

    contracts = read_all([CLONE / "extract" / "contracts", CLONE / "demo" / "public"])
    expected = {f"stg_{contract.system}__{contract.table}" for contract in contracts}
    found = {node["name"] for node in _models(manifest).values() if node["fqn"][1] == "staging"}
    assert found == expected


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_python_never_imports_the_dbt_project() -> None:
    packages = ["kehu", "extract", "expectations", "warehouse", "analytics", "dags", "demo"]
    files = [path for package in packages for path in (CLONE / package).rglob("*.py")]
    assert len(files) > 30
    assert not [path for path in files if "dbt_project" in _imports(path)]
    assert not list((CLONE / "dbt_project").rglob("*.py")), "dbt_project holds SQL only"


@pytest.mark.parametrize(
    ("dates", "told", "tables"),
    [
        ("int_stale_buckets", "int_told_fingerprints", 4),
        ("int_stale_debts", "int_told_fingerprints", 2),
        ("int_stale_purchases", "int_told_cancellations", 1),
        ("int_stale_purchases", "int_told_fingerprints", 1),
        ("int_changed_buckets", "int_told_fingerprints", 1),
        ("int_step_dates", "int_told_fingerprints", 1),
        ("int_credit_dates", "int_told_credit", 7),
        ("int_loss_dates", "int_told_probabilities", 1),
        ("int_loss_dates", "int_told_credit", 1),
        ("int_sample_dates", "int_told_sample", 1),
        ("int_value_dates", "int_told_value", 5),
    ],
)
def test_what_was_told_is_noted_after_all_that_tell_it(
    manifest: dict[str, Any], dates: str, told: str, tables: int
) -> None:
    """A table by date that stood before its note would be kept though it was never told."""
    by_date = {
        key
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and any(dates in hook["sql"] for hook in node["config"]["pre-hook"])
    }
    note = manifest["nodes"][f"model.kehu.{told}"]
    assert len(by_date) >= tables
    assert by_date <= set(note["depends_on"]["nodes"])
