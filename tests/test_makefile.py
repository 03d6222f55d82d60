"""The door: its targets, its messages, and how settings reach what it starts."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from dags.environment import KEYS, write_env_file
from kehu.settings import CLONE

BARE = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


def _make(*arguments: str, folder: Path = CLONE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=BARE, capture_output=True, text=True, check=False
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without environment: only what the door itself needs."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(CLONE / name, tmp_path)
    shutil.copytree(CLONE / ".ci", tmp_path / ".ci")
    return tmp_path


def test_help_is_the_default_and_lists_every_target() -> None:
    text = (CLONE / "Makefile").read_text(encoding="utf-8")
    phony = " ".join(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)).split()
    helped = _make("help").stdout
    assert _make().stdout == helped
    assert sorted(re.findall(r"^  make (\S+)  +\S", helped, re.MULTILINE)) == sorted(phony)


def test_missing_python_is_said_with_what_to_do(clone: Path) -> None:
    done = _make("setup", "PYTHON=python-of-nowhere", folder=clone)
    assert done.returncode != 0
    assert "Python 3.11 is missing: 'python-of-nowhere'" in done.stderr
    assert "do: install Python 3.11" in done.stderr
    assert not (clone / ".venv").exists()


def test_another_python_is_refused(clone: Path) -> None:
    other = clone / "python-other"
    other.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    other.chmod(0o755)
    done = _make("setup", f"PYTHON={other}", folder=clone)
    assert done.returncode != 0
    assert "another version" in done.stderr


@pytest.mark.parametrize("data", ["", "/nowhere"])
def test_real_needs_its_folder(clone: Path, data: str) -> None:
    (clone / ".venv").mkdir()
    os.utime(clone / "requirements.lock", (0, 0))
    (clone / ".venv" / ".installed").touch()
    (clone / ".env").touch()
    done = _make("real", f"DATA={data}", folder=clone)
    assert done.returncode != 0
    assert "do: make real DATA=<folder>" in done.stderr


def _with_env(clone: Path, name: str, **variables: str) -> str:
    return subprocess.run(
        [clone / ".ci" / "with_env", "sh", "-c", f'printf %s "${name}"'],
        env={**BARE, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_settings_file_is_taken_literally_and_the_environment_wins(clone: Path) -> None:
    (clone / ".env").write_text(
        "# a comment\n\nKEHU_A=plain\nKEHU_B=p$1 #'x\"=\nKEHU_C=a=b=\n", encoding="utf-8"
    )
    assert _with_env(clone, "KEHU_A") == "plain"
    assert _with_env(clone, "KEHU_B") == "p$1 #'x\"="
    assert _with_env(clone, "KEHU_C") == "a=b="
    assert _with_env(clone, "KEHU_A", KEHU_A="mine") == "mine"
    assert _with_env(clone, "PYTHONPATH") == str(clone)
    assert _with_env(clone, "PYTHONDONTWRITEBYTECODE", PYTHONDONTWRITEBYTECODE="1") == ""


def test_env_file_is_private_random_and_never_overwritten(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    assert write_env_file(first)
    assert write_env_file(second)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    before = first.read_text(encoding="utf-8")
    values = dict(line.split("=", 1) for line in before.splitlines() if not line.startswith("#"))
    assert {"KEHU_HASH_KEY", *KEYS} <= set(values)
    others = second.read_text(encoding="utf-8")
    assert all(values[key] not in others for key in ("KEHU_HASH_KEY", *KEYS))
    assert not write_env_file(first)
    assert first.read_text(encoding="utf-8") == before


def test_every_setting_is_in_the_example() -> None:
    example = (CLONE / ".env.example").read_text(encoding="utf-8")
    read = set()
    for path in [*(CLONE / "kehu").glob("*.py"), *(CLONE / "dags").rglob("*.py")]:
        read |= set(re.findall(r"get\(\s*\"(KEHU_[A-Z_]+)\"", path.read_text(encoding="utf-8")))
    assert read - {name for name in read if name in example} == set()
    assert all(
        f"KEHU_{system}_URL" in example for system in ("BILLING", "HIS", "ORDERS", "SERVICE")
    )
