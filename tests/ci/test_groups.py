"""What `make test` hands to two processes stays together by group."""

from __future__ import annotations

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
