"""Airflow on several machines: two workers of Celery, one of which dies in the middle of a build.

The queue is Redis, Airflow's own database PostgreSQL; the "machines" are two workers on loopback
that share the home. A worker is killed together with everything it started, as a power cut does.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dags.__main__ import default_day
from kehu.settings import CLONE, SYSTEMS, Settings, load
from tests.conftest import KEYS
from tests.dags.conftest import demo
from tests.dags.test_scheduler import Airflow
from tests.own_servers import free_port, missing, own_redis
from warehouse import connection
from warehouse.hashes import table_hashes

pytestmark = [pytest.mark.workers, pytest.mark.timeout(1800)]

WORKERS = ("first", "second")
ROUND = (*(f"ingest_{system}" for system in SYSTEMS), "build_customer_marts", "publish_marts")
PATIENCE = 900
"""Seconds for a round on a loaded machine; a quiet one needs three minutes."""


@dataclass
class Cluster:
    """Airflow's components, its workers by name, and the logs of all."""

    airflow: Airflow
    logs: Path
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def worker_of(self, pid: int) -> str:
        """Which worker a process of a task belongs to."""
        return next(name for name, worker in self.workers.items() if pid in _tree(worker.pid))

    def kill(self, name: str) -> None:
        """End a worker and everything it started at once, without a word to anybody."""
        for pid in _tree(self.workers[name].pid):
            os.kill(pid, signal.SIGKILL)
        self.workers[name].wait(30)

    def took(self, name: str) -> int:
        """How many tasks a worker has taken from the queue."""
        log = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return len(re.findall(r"Task execute_workload\S+ received", log))

    def told(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')[-1500:]}"
            for path in sorted(self.logs.glob("*.log"))
        )


def _tree(pid: int) -> list[int]:
    """A process and everything that descends from it."""
    found, parents = [pid], {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parents[int(status.parent.name)] = int(text.rpartition(")")[2].split()[1])
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


@contextmanager
def _running(
    name: str, logs: Path, variables: dict[str, str], *command: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m dags …` in the background; asked to end afterwards, then made to."""
    with (logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dags", *command],
            cwd=CLONE,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        rest = _tree(process.pid) if process.poll() is None else []
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in rest:
            if Path(f"/proc/{pid}").exists() and pid != process.pid:
                os.kill(pid, signal.SIGKILL)


def _log(cluster_logs: Path, name: str) -> str:
    return (cluster_logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")


def _until(seconds: float, what: Any, cluster: Cluster | None = None) -> Any:
    """The first answer of `what` that says yes."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := what():
                return found
        except OSError:
            pass  # not up yet, or busy
        assert time.monotonic() < end, cluster.told() if cluster else f"not within {seconds} s"
        time.sleep(1)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """Two homes with the same embedded sources."""
    root = tmp_path_factory.mktemp("workers")
    demo("create", "--customers", "200", home=root / "undisturbed")
    shutil.copytree(root / "undisturbed" / "sources", root / "disturbed" / "sources")
    return load({"KEHU_HOME": str(root / "undisturbed")}), load(
        {"KEHU_HOME": str(root / "disturbed")}
    )


@pytest.fixture(scope="module")
def undisturbed(homes: tuple[Settings, Settings]) -> dict[str, str]:
    """Hashes of what a round on one machine publishes."""
    settings, _ = homes
    subprocess.run(
        [sys.executable, "-m", "dags", "run", "--day", default_day(settings).isoformat()],
        cwd=CLONE,
        env=_environment(settings),
        check=True,
        capture_output=True,
    )
    return table_hashes(settings.published_file)


def _environment(settings: Settings, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEYS or not name.startswith(("AIRFLOW_", "DBT_", "KEHU_WORK"))
    }
    return kept | {"KEHU_HOME": str(settings.home), "PYTHONPATH": os.environ["PYTHONPATH"], **more}


@pytest.fixture
def cluster(homes: tuple[Settings, Settings], postgres_database: str) -> Iterator[Cluster]:
    """Airflow over PostgreSQL and Redis, and two workers, as docs/deploy.md describes it."""
    if lacking := missing("redis"):
        pytest.skip(f"{lacking} is not installed")
    _, settings = homes
    logs, port = settings.home / "logs", free_port()
    logs.mkdir(parents=True)
    with ExitStack() as stack:
        redis = stack.enter_context(own_redis(logs))
        variables = _environment(
            settings,
            KEHU_AIRFLOW_DB=postgres_database.replace("postgresql:", "postgresql+psycopg2:"),
            KEHU_AIRFLOW_BROKER=f"redis://127.0.0.1:{redis}/0",
            KEHU_AIRFLOW_PORT=str(port),
            # the test starts the runs
            KEHU_INGEST_SCHEDULE="0 0 29 2 *",
            # a dead worker is noticed after half a minute instead of five
            AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="30",
            AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL="5",
            AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME="0.5",
        )
        up = stack.enter_context(_running("up", logs, variables, "up"))
        found = Cluster(Airflow(settings, f"http://127.0.0.1:{port}"), logs)
        _until(180, lambda: "Ctrl-C ends it" in _log(logs, "up") or up.poll() is not None, found)
        login = re.search(r"user +(\S+)\s+password +(\S+)", _log(logs, "up"))
        assert login is not None, found.told()
        found.airflow.token = found.airflow.call(
            "POST", "/auth/token", {"username": login[1], "password": login[2]}
        )["access_token"]
        for name in WORKERS:
            found.workers[name] = stack.enter_context(
                _running(name, logs, variables, "worker", "--name", name)
            )
        _until(120, lambda: all("ready." in _log(logs, name) for name in WORKERS), found)
        yield found


def test_a_worker_dies_in_the_middle_and_the_result_is_the_same(
    homes: tuple[Settings, Settings], undisturbed: dict[str, str], cluster: Cluster
) -> None:
    airflow, settings = cluster.airflow, cluster.airflow.settings
    day = default_day(homes[0])
    for system in SYSTEMS:
        path = f"/api/v2/dags/ingest_{system}"
        _until(120, lambda path=path: airflow.call("GET", path)["is_paused"], cluster)
        airflow.call("PATCH", path, {"is_paused": False})
        airflow.call(
            "POST", f"{path}/dagRuns", {"logical_date": None, "conf": {"day": day.isoformat()}}
        )

    first = _until(PATIENCE, lambda: _task(airflow, "build_customer_marts", "running"), cluster)
    dbt_log = settings.home / "dbt" / "logs" / "dbt.log"
    _until(300, lambda: re.search(r"START sql table model core\.", dbt_log.read_text()), cluster)
    victim = cluster.worker_of(first["pid"])
    cluster.kill(victim)

    _until(PATIENCE, lambda: _finished(airflow), cluster)

    last = _task(airflow, "build_customer_marts", "success")
    assert last is not None
    assert last["try_number"] == 2, "the second try went to the other worker"
    assert last["pid"] != first["pid"]
    survivor = next(name for name in WORKERS if name != victim)
    assert cluster.took(victim) > 0
    assert cluster.took(survivor) > 0, "both took part"
    assert table_hashes(settings.published_file) == undisturbed
    with connection.read_published(settings.published_file) as con:
        rows = con.execute("select count(*) from customer.dim_customers").fetchone()
    assert rows is not None
    assert rows[0] > 100


def _task(airflow: Airflow, dag_id: str, state: str) -> dict[str, Any] | None:
    """The task `build_marts` of the only run of the DAG, when it is in this state."""
    for run in airflow.runs_of(dag_id):
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances"
        for task in airflow.call("GET", path)["task_instances"]:
            if task["state"] == state:
                return dict(task)
    return None


def _finished(airflow: Airflow) -> bool:
    states = {dag_id: [run["state"] for run in airflow.runs_of(dag_id)] for dag_id in ROUND}
    assert not any("failed" in found for found in states.values()), states
    return all(found == ["success"] for found in states.values())
