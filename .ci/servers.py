"""Run a command while PostgreSQL, MariaDB and Redis answer: theirs if they run, else our own.

In: a command. Out: its exit code. Touches: starts servers that are installed but do not answer, in
a temporary folder on free ports of loopback, tells the command by KEHU_TEST_<KIND>_URL, and ends
them afterwards. A kind that is not installed is said on standard error and left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests import own_servers


def main(command: list[str]) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kehu-servers-")))
        for kind, (variable, usual) in own_servers.USUAL.items():
            url = own_servers.url_of(kind)
            if own_servers.answers(url):
                say(f"{kind} answers at {url.rpartition('@')[2]}")
            elif variable in os.environ:
                say(f"{kind} does not answer at {variable}")
            elif lacking := own_servers.missing(kind):
                say(f"{kind} is not installed ({lacking}); its tests are skipped")
            else:
                port = stack.enter_context(own_servers.OWN[kind](folder / kind))
                was = urlsplit(usual)
                place = was.netloc.replace(f":{was.port}", f":{port}")
                os.environ[variable] = was._replace(netloc=place).geturl()
                say(f"{kind} is started for this run on port {port}")
        return subprocess.run(command).returncode  # noqa: S603 - given by .ci/run


def say(what: str) -> None:
    sys.stderr.write(f"== {what}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
