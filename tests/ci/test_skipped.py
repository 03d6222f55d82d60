"""CI notices a test that was skipped for want of a server which answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kehu.settings import CLONE

_spec = importlib.util.spec_from_file_location("skipped", CLONE / ".ci" / "skipped.py")
assert _spec is not None
assert _spec.loader is not None
checker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checker)


def _results(folder: Path, reason: str) -> Path:
    path = folder / "results.xml"
    path.write_text(
        '<testsuites><testsuite><testcase classname="tests.a" name="ran"/>'
        '<testcase classname="tests.a" name="left_out">'
        f'<skipped type="pytest.skip" message="{reason}"/></testcase></testsuite></testsuites>',
        encoding="utf-8",
    )
    return path


def test_needless_skip_is_named(tmp_path: Path) -> None:
    path = _results(tmp_path, "no postgres server answers at 127.0.0.1:5432")
    assert len(list(checker.skipped(path, {"postgres": True, "mariadb": False}))) == 1


def test_skip_without_server_is_accepted(tmp_path: Path) -> None:
    path = _results(tmp_path, "no postgres server answers at 127.0.0.1:5432")
    assert list(checker.skipped(path, {"postgres": False, "mariadb": True})) == []
