"""Who may import whom: the rules hold, and each of them notices a planted violation."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kehu.settings import CLONE

CONTRACTS = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
PLANTED = {
    # contract: (file that must not, what it must not)
    "extract": ("extract/planted.py", "import warehouse"),
    "expectations": ("expectations/planted.py", "from extract import run"),
    "warehouse": ("warehouse/planted.py", "import great_expectations"),
    "analytics": ("analytics/planted.py", "import duckdb"),
    "demo": ("demo/planted.py", "import expectations"),
    "report": ("report/planted.py", "from warehouse import raw"),
    "duckdb": ("dags/planted_duckdb.py", "import duckdb"),
    "airflow": ("kehu/planted_airflow.py", "from airflow.sdk import dag"),
    "kehu": ("kehu/planted.py", "import extract"),
    "dags": ("dags/planted.py", "import pandas"),
}
BANNED = {
    "warehouse/planted_duckdb.py": "import duckdb",
    "report/planted_duckdb.py": "import duckdb",
    "extract/planted_airflow.py": "import airflow",
    "warehouse/planted_expectations.py": "import great_expectations",
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree's Python, without data, where violations can be planted."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(CLONE / "pyproject.toml", tree)
    for package in tomllib.loads((tree / "pyproject.toml").read_text())["tool"]["importlinter"][
        "root_packages"
    ]:
        shutil.copytree(
            CLONE / package,
            tree / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if name == "__pycache__"
                or not ((Path(folder) / name).is_dir() or name.endswith(".py"))
            ],
        )
    return tree


def _lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_rule_has_a_planted_violation() -> None:
    assert {contract["id"] for contract in CONTRACTS} == set(PLANTED)


def test_rules_hold_and_notice_violations(copied: Path) -> None:
    clean = _lint_imports(copied)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    for path, line in PLANTED.values():
        (copied / path).write_text(f'"""Planted."""\n\n{line}\n', encoding="utf-8")
    found = _lint_imports(copied)
    assert found.returncode == 1, found.stdout + found.stderr
    broken = set(re.findall(r"^(.*) BROKEN", found.stdout, re.MULTILINE))
    for contract in CONTRACTS:
        assert contract["name"] in broken, f"{contract['id']}: {PLANTED[contract['id']]}"
        planted = PLANTED[contract["id"]][0].removesuffix(".py").replace("/", ".")
        assert f"{planted} -> " in found.stdout


@pytest.mark.parametrize("path", BANNED)
def test_banned_imports_say_why(path: str) -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("ruff"),
            "check",
            "--select=TID251",
            f"--stdin-filename={path}",
            "-",
        ],
        input=f"{BANNED[path]}\n",
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert "TID251" in checked.stdout
    assert "see docs/architecture.md" in checked.stdout
