"""The engine that holds what models read and make: DuckDB here, or Spark on a cluster.

base        what every engine can do
duck        DuckDB: everything lies in the working file
spark       Spark: raw tables over files of the lake, models as tables of the cluster
lake        the folder that both sides see
marts       finished marts of a cluster, as DuckDB sees them
address     where a cluster listens, and with which login
sessions    one session on a cluster, over Spark Connect or Thrift
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kehu.settings import Settings
from warehouse.engines.address import Address
from warehouse.engines.base import Engine
from warehouse.engines.duck import Duck

__all__ = ["Address", "Engine", "opened"]


@contextmanager
def opened(settings: Settings, address: Address | None = None) -> Iterator[Engine]:
    """The engine of the settings, for one task.

    With Spark, `address` is where it listens (default: KEHU_SPARK_URL). Raises `SourceError` when
    nothing answers there, `AccessError` when the login is refused.
    """
    if settings.engine == "duckdb":
        yield Duck(settings)
        return
    from warehouse.engines import sessions
    from warehouse.engines.spark import Spark

    address = address or Address.parse(settings.spark_url())
    with sessions.opened(address) as session:
        yield Spark(settings, address, session)
