"""The stage starts quietly, whatever other engines are installed."""

from __future__ import annotations

import subprocess
import sys

from kehu.settings import CLONE


def test_great_expectations_meets_no_spark() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import expectations.engine, sys; print(sys.modules['pyspark'])"],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "None", "")
