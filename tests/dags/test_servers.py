"""`python -m dags up` says why it cannot start, and leaves nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dags import environment
from dags.servers import Servers, up
from kehu.errors import SettingsError
from kehu.settings import load


def test_a_taken_port_is_named_before_anything_starts(airflow_home: Path) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match="listens there already") as raised:
            up(load(), port, said.append)
    assert f"127.0.0.1:{port}" in raised.value.where
    assert "KEHU_AIRFLOW_PORT" in raised.value.do
    assert said == []


def test_a_component_that_ends_by_itself_is_named_with_its_log(airflow_home: Path) -> None:
    servers = Servers(load(), 1)
    ended = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    ended.wait()
    servers._processes["scheduler"] = ended
    with pytest.raises(SettingsError, match="scheduler ended by itself") as raised:
        servers.check()
    assert raised.value.where == str(environment.airflow_home(load()) / "logs" / "scheduler.log")


def test_stopping_ends_a_whole_group(airflow_home: Path) -> None:
    """A worker below a component goes with it, also when the component ignores being asked."""
    servers = Servers(load(), 1)
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    component = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert component.stdout is not None
    child = int(component.stdout.readline())
    servers._processes["scheduler"] = component
    servers.stop(patience=0.5)
    component.stdout.close()
    assert component.returncode is not None
    # A kill is sent at once and carried out a moment later.
    deadline = time.monotonic() + 20
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
