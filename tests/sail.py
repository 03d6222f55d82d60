"""Sail on loopback in a process of its own: Spark Connect without a JVM.

In: a folder for its tables. Out: the URL of one session on it, whose catalogue every client shares
that names the session, and which lives as long as the server. `python -m tests.sail <folder>`
starts one, prints the URL, and ends with its standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kehu.settings import CLONE


@contextmanager
def sail(folder: Path) -> Iterator[str]:
    """URL of a session on a new server, for KEHU_SPARK_URL."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.sail", str(folder / "tables")],
            cwd=CLONE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url, (folder / "server.log").read_text(encoding="utf-8")
        yield url
    finally:
        server.communicate(timeout=60)


def _serve(folder: str) -> None:
    warnings.simplefilter("ignore", FutureWarning)
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    url = f"sc://{host}:{port}/;session_id={uuid.uuid4()}"
    from pyspark.sql import SparkSession

    # without this it would put tables into a folder below the current one
    session = SparkSession.builder.remote(url).config("spark.sql.warehouse.dir", folder).create()
    session.sql("select 1").collect()
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    # at its end Python would wait for the client's farewell to a server that is gone
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
