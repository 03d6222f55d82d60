"""The engine of a task: as the settings say, with host and login from Airflow's connection.

In: settings; the connection `kehu_spark`, which a secrets backend or KEHU_SPARK_URL may give. Out:
an `Engine`, open for the task. Touches the cluster only when one is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dags.environment import SPARK_CONNECTION
from kehu.settings import Settings

if TYPE_CHECKING:
    from warehouse.engines import Address, Engine

_SCHEMES = {"spark_connect": "sc", "spark": "thrift", "hiveserver2": "thrift"}
"""Types of connections that Airflow's providers use for the same servers."""


@contextmanager
def engine_of(settings: Settings) -> Iterator[Engine]:
    """The engine that raw tables and marts lie on."""
    from warehouse.engines import opened

    with opened(settings, _address() if settings.engine == "spark" else None) as engine:
        yield engine


def _address() -> Address | None:
    """The address in Airflow's connection; None when there is no such connection."""
    from airflow.exceptions import AirflowNotFoundException
    from airflow.sdk import Connection

    from warehouse.engines import Address

    try:
        found = Connection.get(SPARK_CONNECTION)
    except AirflowNotFoundException:
        return None
    options = {name: str(value) for name, value in found.extra_dejson.items()}
    scheme = _SCHEMES.get(found.conn_type, found.conn_type)
    return Address.of(scheme, found.host or "", found.port, found.login, found.password, options)
