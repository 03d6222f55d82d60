"""Every fault of the list has a test, and the page names every fault."""

from __future__ import annotations

import ast
import re

from kehu.settings import CLONE

FAULTS = set(range(1, 40))


def _marked() -> dict[int, list[str]]:
    """Numbers in the marks of all tests, and where they stand."""
    found: dict[int, list[str]] = {}
    for path in (CLONE / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "pytest.mark.fault"
                and isinstance(node.args[0], ast.Constant)
            ):
                found.setdefault(int(str(node.args[0].value)), []).append(path.name)
    return found


def test_every_fault_has_a_test() -> None:
    assert _marked().keys() == FAULTS


def test_the_page_lists_every_fault() -> None:
    page = (CLONE / "docs" / "reliability.md").read_text(encoding="utf-8")
    expected = re.findall(r"^\| (\d+) \| ", page.split("<!-- faults: begin -->")[0], re.MULTILINE)
    assert {int(number) for number in expected} == FAULTS
