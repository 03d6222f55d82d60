"""What `make test` hands to two processes: the same tests, together by group."""

from __future__ import annotations

import os
import subprocess
import sys

from kehu.settings import CLONE


def test_the_runner_takes_over_our_groups() -> None:
    """Versions of pytest and its runner exist that forget them without a word."""
    outcome = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-n", "1", "--dist", "loadgroup"),
            *("-v", "-p", "no:cacheprovider", "tests/test_makefile.py"),
        ],
        cwd=CLONE,
        check=False,
        capture_output=True,
        text=True,
    )
    passed = [line for line in outcome.stdout.splitlines() if " PASSED " in line]
    assert passed, outcome.stdout
    assert [line for line in passed if not line.rstrip().endswith("@tests")] == []


def test_every_process_finds_the_same_tests() -> None:
    """At another moment, with another order of sets: else the runner refuses to begin."""
    found = [
        subprocess.run(
            [*(sys.executable, "-m", "pytest"), "--collect-only", "-q", "-p", "no:cacheprovider"],
            cwd=CLONE,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for seed in ("1", "2")
    ]
    first, second = ([line for line in lines if "::" in line] for lines in found)
    assert len(first) > 1000
    assert first == second
