"""What is said when Spark's servers cannot start, and that nothing of them is left running."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kehu.errors import AccessError, SettingsError, WarehouseError
from kehu.settings import CLONE
from tests.cluster import servers
from warehouse.engines import sessions


@pytest.fixture
def no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH without Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_java_it_says_what_to_install(no_java: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        servers.require_java()
    assert raised.value.what == "Spark's servers need Java 17; none was found."
    assert "openjdk-17" in raised.value.do


def test_another_java_is_named(no_java: Path) -> None:
    java = no_java / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.22\" 2024-01-16' >&2\n")
    java.chmod(0o755)
    with pytest.raises(SettingsError, match=r"need Java 17; \S+/java is 11\.0\.22"):
        servers.require_java()


@pytest.mark.cluster
def test_a_server_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind((servers.HOST, 0))
        # taken, but nobody answers there
        monkeypatch.setattr(servers, "free_port", lambda: taken.getsockname()[1])
        with (
            pytest.raises(WarehouseError, match=r"(?s)BindException.*connect\.log"),
            servers.connect(tmp_path),
        ):
            pass
    assert _processes_of(tmp_path) == []


@pytest.mark.cluster
def test_a_thrift_server_refuses_a_password(tmp_path: Path) -> None:
    """It asks LDAP about every login, and nobody there says yes."""
    asks = "hive.server2.authentication=LDAP", "hive.server2.authentication.ldap.url=ldap://[::1]:1"
    options = [part for one in asks for part in ("--hiveconf", one)]
    with servers.standalone(tmp_path / "spark", options=options) as server:
        right = server.address
        secret = "wrong-9876543210"
        wrong = replace(right, options={"auth": "LDAP"}, secret=secret)
        with (
            pytest.raises(AccessError, match="refuses the login") as raised,
            sessions.opened(wrong),
        ):
            pass
    assert secret not in str(raised.value)
    assert raised.value.where == right.shown
    assert "auth" in raised.value.do


@pytest.mark.cluster
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_after_the_end(tmp_path: Path, sent: signal.Signals) -> None:
    kept = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.servers", "standalone", str(tmp_path / "spark")],
        cwd=CLONE,
        env={**os.environ, "PYTHONPATH": str(CLONE)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert kept.stdout is not None
    assert "Ctrl-C" in kept.stdout.readline()
    assert len(_processes_of(tmp_path)) >= 4, "master, two workers, Thrift server"
    kept.send_signal(sent)
    kept.communicate(timeout=120)
    deadline = time.monotonic() + 20
    while _processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _processes_of(tmp_path) == []


def _processes_of(folder: Path) -> list[int]:
    """Processes of Java that work in the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue
        if inside and b"java" in (process / "cmdline").read_bytes():
            found.append(int(process.name))
    return found
