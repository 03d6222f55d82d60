"""Which code and which configuration a run had.

In: the clone. Out: a version of the code, and a hash of contracts, suites and seeds. Touches
nothing: reads files, and asks git when there is one.
"""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from kehu.settings import CLONE, Settings


@cache
def code_version() -> str:
    """`git describe`, or the version in pyproject.toml where there is no git."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--tags"],  # noqa: S607 - git is where it is
            cwd=CLONE,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        told = ""
    version = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{version['version']} {told}".strip()


def config_version(settings: Settings) -> str:
    """Hash of what decides over rows besides the code: contracts and seeds."""
    digest = hashlib.sha256()
    for path in _files([*settings.contract_dirs, settings.dbt_project / "seeds"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _files(folders: Iterable[Path]) -> Iterable[Path]:
    for folder in folders:
        yield from sorted(p for p in folder.rglob("*") if p.suffix in (".yaml", ".yml", ".csv"))
