"""Embedded sources that several tests look at: made once, never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from demo.lifecycle import CONTRACTS, create
from extract.contract import Contract, read_all
from kehu.settings import SYSTEMS, Settings, load

START = date(2026, 1, 31)
SEED = 11
CUSTOMERS = 500


def settings_in(home: Path, urls: Mapping[str, str] | None = None) -> Settings:
    """Settings of a home of its own, with the sources at `urls` (default: SQLite)."""
    named = {f"KEHU_{system.upper()}_URL": url for system, url in (urls or {}).items()}
    return load({"KEHU_HOME": str(home), **named})


@dataclass(frozen=True)
class Sources:
    """Created sources, read through SQLite."""

    settings: Settings

    def rows(self, sql: str, system: str | None = None) -> list[tuple[Any, ...]]:
        """Rows of a query over `<system>.<table>` names."""
        connection = sqlite3.connect(":memory:")
        try:
            for name in SYSTEMS:
                file = self.settings.demo_sources / f"{name}.db"
                connection.execute(f"ATTACH '{file}' AS {name}")
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def value(self, sql: str) -> Any:
        ((value,),) = self.rows(sql)
        return value


@pytest.fixture(scope="session")
def contracts() -> tuple[Contract, ...]:
    # not those that the warehouse itself writes to: identity, steward
    return [each for each in read_all([CONTRACTS]) if each.system in SYSTEMS]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sources]:
    """A small world on the day it starts."""
    settings = settings_in(tmp_path_factory.mktemp("sources"))
    create(settings, customers=CUSTOMERS, seed=SEED, day=START)
    yield Sources(settings)
