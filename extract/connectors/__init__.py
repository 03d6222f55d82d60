"""Connectors: one read-only snapshot of a source system, as Arrow record batches.

In: a URL and the contracts of a system. Out: a `Snapshot`. Touches: reads the source, never writes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from extract.connectors.base import Address, Measure, Snapshot
from extract.contract import Contract
from kehu.errors import SourceError

__all__ = ["Address", "Measure", "Snapshot", "open_snapshot", "source_kind"]

_CONNECTORS = {
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "file": "files",
    "https": "api",
    "http": "api",
}
"""The module per kind of URL; each has `open_source(address, contracts)`."""


def source_kind(url: str) -> str:
    """Which contracts apply to a URL: those of a file, an api, or a database."""
    scheme = url.partition(":")[0].lower()
    return {"file": "file", "http": "api", "https": "api"}.get(scheme, "database")


@contextmanager
def open_snapshot(system: str, url: str, contracts: Sequence[Contract]) -> Iterator[Snapshot]:
    """One snapshot over all tables of `contracts`, closed at the end of the block.

    Drivers are imported here, so that a system loads only the one it needs. Raises `SourceError`
    when the source cannot be reached or the URL names no kind of source that we know.
    """
    address = Address.parse(system, url)
    if address.scheme not in _CONNECTORS:
        raise SourceError(
            f"No connector reads sources of the kind {address.scheme!r}.",
            where=address.where,
            do=f"set KEHU_{system.upper()}_URL to sqlite:///<file>, postgresql://..., mysql://... "
            "file://<folder> or https://...",
        )
    module = importlib.import_module(f"extract.connectors.{_CONNECTORS[address.scheme]}")
    with module.open_source(address, contracts) as snapshot:
        yield snapshot
