"""What every DAG must have, whoever wrote it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dags.environment import POOL
from dags.round import ROUND
from kehu.settings import CLONE

FILES = sorted(path for path in (CLONE / "dags").glob("*_*.py") if not path.stem.startswith("_"))
WRITERS = {
    ("ingest_billing", "load"),
    ("ingest_his", "load"),
    ("ingest_orders", "load"),
    ("ingest_service", "load"),
    ("build_customer_marts", "build_marts"),
    ("publish_marts", "publish"),
}
HEAVY = ("duckdb", "pandas", "great_expectations", "dbt", "pyarrow", "cosmos", "extract.run")


def test_file_is_function_is_dag_id(dags: dict[str, Any]) -> None:
    assert {path.stem for path in FILES} == set(dags) == set(ROUND)
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert f"\ndef {path.stem}(" in text
        assert Path(dags[path.stem].fileloc) == path
        assert len(text.splitlines()) <= 60, f"{path.name} is longer than 60 lines"
        assert not re.search(r"(?i)\b(select|insert|update|delete)\b.+\b(from|into|set)\b", text)


@pytest.mark.parametrize("dag_id", ROUND)
def test_every_dag_says_what_it_is(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    assert dag.owner == "data-warehouse"
    assert dag.tags
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    for word in (r"Kind: (interval|now)\.", r"Makes: ", r"Who is told: "):
        assert re.search(word, dag.doc_md), f"the docstring does not say {word}"


@pytest.mark.parametrize("dag_id", ROUND)
def test_every_task_is_bounded_and_tried_again(dags: dict[str, Any], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        assert task.retries >= 1
        assert task.retry_exponential_backoff
        assert task.retry_policy is not None
        assert task.execution_timeout is not None
        assert task.on_failure_callback
        # its messages hold no cell (`dags/blocks/messages.py`)
        assert hasattr(task.python_callable, "__wrapped__")


def test_writers_share_one_slot(dags: dict[str, Any], airflow_home: Path) -> None:
    from airflow.models.pool import Pool

    in_pool = {
        (dag_id, task.task_id)
        for dag_id, dag in dags.items()
        for task in dag.tasks
        if task.pool == POOL
    }
    assert in_pool == WRITERS
    pool = Pool.get_pool(POOL)
    assert pool is not None
    assert pool.slots == 1


@pytest.mark.parametrize(
    ("error", "again"),
    [
        ("SourceError", True),
        ("AccessError", False),
        ("DriftError", False),
        ("ContractError", False),
        ("SettingsError", False),
        ("ValidationError", False),
        ("LandingError", False),
        ("StorageError", True),
        ("StorageAccessError", False),
        ("WarehouseError", False),
    ],
)
def test_only_what_can_heal_is_tried_again(dags: dict[str, Any], error: str, again: bool) -> None:
    from airflow.sdk.definitions.retry_policy import RetryAction

    from kehu import errors

    raised = getattr(errors, error)("what", where="where", do="do")
    policy = dags["ingest_billing"].tasks[0].retry_policy
    decision = policy.evaluate(raised, 1, 3)
    assert decision.action is (RetryAction.DEFAULT if again else RetryAction.FAIL)


def test_parsing_is_light(airflow_home: Path) -> None:
    """Each file costs under a second of CPU beyond importing Airflow, and imports nothing heavy.

    Measured in a process of its own, because this one has imported much already.
    """
    program = f"""
import importlib, json, sys, time
import airflow.sdk, airflow.dag_processing.dagbag
before, cost = set(sys.modules), {{}}
for name in {[path.stem for path in FILES]}:
    began = time.process_time()
    importlib.import_module("dags." + name)
    cost[name] = time.process_time() - began
new = set(sys.modules) - before
print(json.dumps({{"cost": cost, "new": sorted(new)}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=CLONE,
        env={**os.environ, "PYTHONPATH": str(CLONE)},
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    assert max(measured["cost"].values()) < 1.0, measured["cost"]
    heavy = [m for m in measured["new"] if any(m == h or m.startswith(h + ".") for h in HEAVY)]
    assert heavy == []
