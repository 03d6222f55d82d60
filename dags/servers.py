"""Airflow on loopback: API server with the UI, scheduler, DAG processor, triggerer.

In: the settings and a port. Out: four processes, and where to log in. Touches: Airflow's home
(database, logs, the generated password, 0600). Each process leads a group of its own, which is
ended as a whole: a worker that outlived its scheduler would keep the writer's lock.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from dags import environment
from dags.round import migrate, output_to
from extract.disk import make_private
from kehu.errors import SettingsError
from kehu.settings import CLONE, Settings

COMPONENTS: dict[str, Sequence[str]] = {
    # Logs are read from the disk; no component needs to serve them over a port of its own.
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
START_SECONDS, END_SECONDS = 120, 20


class Servers:
    """The running components; `stop` ends every process of theirs."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.logs = environment.airflow_home(settings) / "logs"
        self._home = environment.airflow_home(settings)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        make_private(self.logs)
        for name, command in COMPONENTS.items():
            with os.fdopen(
                os.open(self.logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            ) as log:
                self._processes[name] = subprocess.Popen(  # noqa: S603 - our own words
                    [sys.executable, "-m", "airflow", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=CLONE,
                    start_new_session=True,
                    umask=0o077,
                )

    def check(self) -> None:
        """Raise `SettingsError` when a component has ended by itself."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise SettingsError(
                    f"Airflow's {name} ended by itself.",
                    where=str(self.logs / f"{name}.log"),
                    do="read the end of that log; most often the port or the database is taken",
                )

    def wait_until_healthy(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            with suppress(urllib.error.URLError, OSError, ValueError):
                health = json.loads(_get(f"{self.url}/api/v2/monitor/health"))
                parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
                if all(health[part]["status"] == "healthy" for part in parts):
                    return
            if time.monotonic() > deadline:
                raise SettingsError(
                    f"Airflow was not ready within {seconds:.0f} s.",
                    where=str(self.logs),
                    do="read the logs of its components there",
                )
            time.sleep(0.5)

    def login(self) -> tuple[str, str]:
        """User and password of the UI; Airflow makes the password at its first start."""
        path = self._home / "simple_auth_manager_passwords.json.generated"
        (user, password), *_ = json.loads(path.read_text(encoding="utf-8")).items()
        return user, password

    def stop(self, patience: float = END_SECONDS) -> None:
        """End every component with its children: ask first, after `patience` seconds insist."""
        for name in reversed(self._processes):
            _signal_group(self._processes[name], signal.SIGTERM)
        deadline = time.monotonic() + patience
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in self._processes.values():
            _signal_group(process, signal.SIGKILL)
            process.wait()


def up(settings: Settings, port: int, say: Callable[[str], None]) -> int:
    """Start everything, say where, and end everything on Ctrl-C."""
    environment.prepare(settings, port)
    _check_port(port)
    say("Starting Airflow on loopback ...")
    servers = Servers(settings, port)
    make_private(servers.logs)
    with output_to(servers.logs / "migrate.log"):
        migrate(settings, port)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    try:
        servers.start()
        servers.wait_until_healthy()
        user, password = servers.login()
        say(f"\n  Airflow   {servers.url}\n  user      {user}\n  password  {password}")
        say(f"  logs      {servers.logs}\n\nCtrl-C ends it.")
        while True:
            servers.check()
            time.sleep(1)
    except KeyboardInterrupt:
        say("\nEnding Airflow ...")
        return 0
    finally:
        servers.stop()


def work(settings: Settings, name: str) -> int:
    """Become a worker that takes tasks from the queue; comes back only when it cannot."""
    environment.prepare(settings)
    if environment.broker() is None:
        raise SettingsError(
            "There is no queue to take tasks from.",
            where="environment variable KEHU_AIRFLOW_BROKER",
            do="give the same redis://host:port/number to the scheduler and to every worker",
        )
    make_private(environment.airflow_home(settings))
    command = ["-m", "airflow", "celery", "worker", "--skip-serve-logs", "--celery-hostname", name]
    pid = environment.airflow_home(settings) / f"worker-{name}.pid"
    os.execv(sys.executable, [sys.executable, *command, "--pid", str(pid)])  # noqa: S606


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise SettingsError(
                "Something listens there already.",
                where=f"127.0.0.1:{port}",
                do="end it, or choose another port: KEHU_AIRFLOW_PORT=8081 make up",
            )


def _signal_group(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, what)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback, made above
        content: bytes = answer.read()
        return content
