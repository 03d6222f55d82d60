"""CI starts the servers that are installed and do not run, and ends them."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from kehu.settings import CLONE
from tests import own_servers

ASK = {
    "postgres": "import os, psycopg2 as d; d.connect(os.environ['KEHU_TEST_POSTGRES_URL']).close()",
    "mariadb": "import os, pymysql; from urllib.parse import urlsplit as s;"
    "pymysql.connect(host='127.0.0.1', user='root',"
    " port=s(os.environ['KEHU_TEST_MARIADB_URL']).port).close()",
    "redis": "import os, redis; redis.from_url(os.environ['KEHU_TEST_REDIS_URL']).ping()",
}


def run(kind: str, code: str, *, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """`.ci/servers.py` where nobody answers at this kind's usual place; other kinds are unknown."""
    variable, usual = own_servers.USUAL[kind]
    nobody = usual.replace(f":{urlsplit(usual).port}", f":{own_servers.free_port()}")
    script = (
        f"import runpy; from tests import own_servers; {before};"
        f"own_servers.USUAL = {{{kind!r}: ({variable!r}, {nobody!r})}};"
        "runpy.run_path('.ci/servers.py', run_name='__main__')"
    )
    variables = {k: v for k, v in os.environ.items() if not k.startswith("KEHU_TEST_")}
    return subprocess.run(
        [sys.executable, "-c", script, sys.executable, "-c", code],
        cwd=CLONE,
        env={**variables, "PYTHONPATH": str(CLONE)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("kind", list(own_servers.USUAL))
def test_a_server_that_does_not_run_is_started_and_ended(kind: str) -> None:
    if lacking := own_servers.missing(kind):
        pytest.skip(f"{lacking} is not installed")
    variable = own_servers.USUAL[kind][0]

    done = run(kind, f"{ASK[kind]}; print(os.environ['{variable}']); raise SystemExit(7)")

    assert done.returncode == 7, done.stderr
    assert "is started for this run" in done.stderr
    assert not own_servers.answers(done.stdout.strip())


def test_a_kind_that_is_not_installed_is_said_and_left_out() -> None:
    done = run(
        "redis",
        "import os; print(os.environ.get('KEHU_TEST_REDIS_URL'))",
        before="own_servers.PROGRAMS['redis'] = ('no-such-program',)",
    )

    assert (done.returncode, done.stdout.strip()) == (0, "None")
    assert "redis is not installed (no-such-program)" in done.stderr
