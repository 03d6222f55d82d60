"""The real scheduler: four ingests are started, the rest follows without a button pressed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dags.__main__ import default_day
from kehu.settings import CLONE, SYSTEMS, Settings, load
from tests.dags.conftest import demo
from warehouse import connection, runs

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]


@dataclass
class Airflow:
    """Airflow as `make up` starts it, and its public API."""

    settings: Settings
    url: str
    token: str = ""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def runs_of(self, dag_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
        return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment_of(home: Path, schedule: str) -> dict[str, str]:
    """Variables of a process of this home: nothing that other tests set."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "DBT_", "KEHU_WORK", "AIRFLOW__DATABASE"))
        or name in ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY")
        or name == "AIRFLOW__API_AUTH__JWT_SECRET"
    } | {
        "KEHU_HOME": str(home),
        "PYTHONPATH": str(CLONE),
        "KEHU_INGEST_SCHEDULE": schedule,
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    }


@contextmanager
def started(home: Path, schedule: str, customers: int) -> Iterator[Airflow]:
    """`python -m dags up` over small embedded sources, ended as Ctrl-C ends it."""
    port, variables = _free_port(), environment_of(home, schedule)
    demo("create", "--customers", str(customers), home=home)
    process = subprocess.Popen(
        [sys.executable, "-m", "dags", "up", "--port", str(port)],
        cwd=CLONE,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    seen = ""
    assert process.stdout is not None
    try:
        while "Ctrl-C ends it" not in seen:
            line = process.stdout.readline()
            assert line, f"Airflow did not start:\n{seen}"
            seen += line
        running = Airflow(load({"KEHU_HOME": str(home)}), f"http://127.0.0.1:{port}")
        login = re.search(r"user +(\S+)\s+password +(\S+)", seen)
        assert login is not None
        running.token = running.call(
            "POST", "/auth/token", {"username": login[1], "password": login[2]}
        )["access_token"]
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stdout.close()
    assert _processes(home) == [], "a process outlived Airflow"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    # Every day would start a run by itself as soon as a DAG is switched on; here the test starts
    # it, for a day of the embedded sources.
    with started(tmp_path_factory.mktemp("scheduled"), "0 0 29 2 *", 300) as running:
        yield running


def test_nobody_enters_without_login(airflow: Airflow) -> None:
    anonymous = Airflow(airflow.settings, airflow.url)
    for path in ("/api/v2/dags", "/api/v2/connections", "/api/v2/variables"):
        with pytest.raises(urllib.error.HTTPError) as raised:
            anonymous.call("GET", path)
        assert raised.value.code == 401


def test_assets_carry_the_round_to_the_readers(airflow: Airflow) -> None:
    day = default_day(airflow.settings)
    for system in SYSTEMS:
        path = f"/api/v2/dags/ingest_{system}"
        eventually(60, lambda path=path: airflow.call("GET", path)["is_paused"] is True)
        airflow.call("PATCH", path, {"is_paused": False})
        airflow.call(
            "POST", f"{path}/dagRuns", {"logical_date": None, "conf": {"day": day.isoformat()}}
        )

    def finished() -> bool:
        for dag_id in (*(f"ingest_{s}" for s in SYSTEMS), "build_customer_marts"):
            for one in airflow.runs_of(dag_id):
                assert one["state"] != "failed", f"{dag_id}: {failures_of(airflow.settings)}"
        published = airflow.runs_of("publish_marts")
        assert all(one["state"] != "failed" for one in published), failures_of(airflow.settings)
        return any(one["state"] == "success" for one in published)

    eventually(480, finished)

    assert [one["run_type"] for one in airflow.runs_of("build_customer_marts")] == [
        "asset_triggered"
    ]
    assert [one["run_type"] for one in airflow.runs_of("publish_marts")] == ["asset_triggered"]
    run_id = runs.built_run(airflow.settings)
    with connection.read_published(airflow.settings.published_file) as con:
        customers = con.execute(
            "select count(*), count(distinct run_id), min(run_id) from customer.dim_customers"
        ).fetchone()
        tables = con.execute(
            "select count(*), min(day), max(day) from ops.reconciliation where system <> 'identity'"
        ).fetchone()
    assert customers is not None
    assert customers[0] >= 250
    assert customers[1:] == (1, run_id)
    assert tables == (43, day, day)
    assert (airflow.settings.run_reports / "index.html").is_file()


def test_components_run_and_listen_on_loopback_only(airflow: Airflow) -> None:
    assert len(_processes(airflow.settings.home)) >= 4
    port = int(airflow.url.rsplit(":", 1)[1])
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    ]
    assert listening == [f"0100007F:{port:04X}"]


def _processes(home: Path) -> list[int]:
    """Processes that were started with this home of Airflow."""
    sought = f"AIRFLOW_HOME={home}/airflow".encode()
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/environ")
        if path.parent.name != str(os.getpid()) and _holds(path, sought)
    ]


def _holds(path: Path, text: bytes) -> bool:
    try:
        return text in path.read_bytes()
    except OSError:
        return False


def failures_of(settings: Settings) -> str:
    path = settings.run_reports / "failures.jsonl"
    return path.read_text(encoding="utf-8") if path.is_file() else "no failure was recorded"


def eventually(seconds: float, condition: Any) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except urllib.error.URLError:
            pass  # not parsed yet, or busy
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(1)
