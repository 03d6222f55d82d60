"""Fail when a test was skipped for want of a server that answers.

In: pytest's JUnit file. Out: exit 1 and the tests' names, when one marked for a server was skipped
although the server answers. Touches nothing.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from tests import own_servers


def skipped(results: Path, answering: dict[str, bool]) -> Iterator[str]:
    """Tests that were skipped although the server their reason names answers."""
    for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314 - pytest wrote it
        reason = case.find("skipped")
        if reason is None or reason.get("type") == "pytest.xfail":
            continue
        text = (reason.get("message") or "").lower()
        for server, answers in answering.items():
            if answers and server in text:
                yield f"{case.get('classname')}.{case.get('name')}: {reason.get('message')}"


def main() -> int:
    answering = {kind: own_servers.answers(own_servers.url_of(kind)) for kind in own_servers.USUAL}
    found = list(skipped(Path(sys.argv[1]), answering))
    for line in found:
        sys.stderr.write(f"skipped although its server answers: {line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
