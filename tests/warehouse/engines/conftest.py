"""Both engines over the same loads: DuckDB, and Sail for Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from kehu.settings import Settings
from tests.sail import sail
from tests.warehouse.landed import settings_at
from warehouse import engines
from warehouse.engines import Address, Engine, sessions


class Open(Protocol):
    """Open the engine of some settings."""

    def __call__(self, settings: Settings) -> AbstractContextManager[Engine]: ...


@pytest.fixture(scope="session")
def sail_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server and session for all tests of this folder."""
    with sail(tmp_path_factory.mktemp("sail")) as url:
        yield url
        sessions.close_all()


@pytest.fixture
def spark_settings(tmp_path: Path) -> Settings:
    return replace(settings_at(tmp_path / "home"), engine="spark", spark_table_format="delta")


@pytest.fixture
def opened(sail_url: str) -> Open:
    return lambda settings: engines.opened(settings, Address.parse(sail_url))


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: Any, spark_settings: Settings, opened: Open) -> Iterator[Engine]:
    """One engine after the other, with an empty warehouse."""
    from warehouse import raw

    settings = replace(spark_settings, engine=request.param)
    raw.create_all([], settings)
    with opened(settings) as found:
        yield found
