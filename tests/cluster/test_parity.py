"""Two rounds of Airflow on real Spark leave and publish what two rounds on DuckDB do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kehu.errors import AccessError, KehuError, SourceError
from tests.cluster.conftest import Days, a_round
from tests.cluster.servers import Server
from tests.parity.comparing import Difference
from tests.parity.engines import Spark
from tests.parity.test_incremental import upserts
from tests.parity.test_parity import FILLED, differences
from warehouse import engines
from warehouse.engines import Address, lake
from warehouse.hashes import table_hashes

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(7200)]
"""A fixture builds two days on a cluster; a loaded machine needs an hour for it."""


TOLD_AGAIN = {
    *("value.int_changed_buckets", "value.int_stale_buckets", "value.int_stale_debts"),
    *("value.int_stale_purchases", "value.int_step_dates", "value.int_told_metrics"),
    "value.metric_restatements",
}
STEPS_OF_TELLING = {
    "value.int_customer_dates",
    *(
        f"value.int_metrics_{step}"
        for step in (
            *("accounts", "arrears", "collection", "conduct", "history", "payment"),
            *("purchases", "referrals", "relation", "relationship"),
        )
    ),
}
"""No row can be taken out of a table of Parquet. So each build tells all metrics: nothing is told
again, no snapshot is kept, and the steps hold more than the customers whose facts changed."""


@pytest.mark.parametrize("number", [1, 2])
def test_tables_are_equal(on_duckdb: Days, on_spark: Days, server: Server, number: int) -> None:
    ours, theirs = on_duckdb.tables[number - 1], on_spark.tables[number - 1]
    steps: list[Difference] = []
    if server.table_format == "parquet":
        ours = {name: rows for name, rows in ours.items() if not name.startswith("snapshots.")}
        ours, theirs = (
            {name: rows for name, rows in tables.items() if name not in TOLD_AGAIN}
            for tables in (ours, theirs)
        )
    found = differences(ours, theirs, on_duckdb.keys)
    if server.table_format == "parquet":
        steps = [
            one
            for one in found
            if one.table in STEPS_OF_TELLING and one.reason.startswith("0 row(s) on duckdb only")
        ]
        found = [one for one in found if one not in steps]
    sys.stderr.write(
        f"\n{server.address.scheme}, {server.table_format}, day {number}: {len(theirs)} tables,"
        f" {sum(rows.num_rows for rows in theirs.values())} rows compared, {len(found)} differ"
        f" ({len(steps)} hold more rows);"
        f" {on_spark.seconds[number - 1]:.0f} s, duckdb {on_duckdb.seconds[number - 1]:.0f} s\n"
    )
    assert not found, f"{len(found)} tables differ\n" + "\n".join(map(str, found))
    assert [name for name in FILLED if name in ours and theirs[name].num_rows == 0] == []


def test_readers_get_the_same(on_duckdb: Days, on_spark: Days, server: Server) -> None:
    """What the round of Airflow published, table by table."""
    ours, theirs = (
        {
            name: rows
            for name, rows in days.published.items()
            if server.table_format != "parquet" or name not in TOLD_AGAIN
        }
        for days in (on_duckdb, on_spark)
    )
    assert len(theirs) > 15
    assert theirs == ours


def test_the_days_differ(on_spark: Days) -> None:
    first, second = on_spark.tables
    assert [name for name in FILLED if name in first and first[name].equals(second[name])] == []


def test_an_incremental_model_replaces_and_adds(server: Server, tmp_path: Path) -> None:
    """By MERGE on Iceberg, by whole partitions on Parquet."""
    upserts(Spark(server.url, tmp_path / "dbt", server.table_format), tmp_path)


def test_a_table_goes_there_and_back(on_spark: Days, server: Server) -> None:
    """What statistics do between two layers, also where the session has read the name before."""
    with engines.opened(on_spark.settings, server.address) as spark:
        with spark.read("customer.dim_customers") as batches:
            rows = batches.read_all()
        assert rows.num_rows > 30
        for written in (rows.slice(0, 3), rows):
            spark.write("written.customers", written)
            assert spark.fetch("select count(*) from written.customers") == [(written.num_rows,)]
            with spark.read("written.customers") as batches:
                again = batches.read_all()
            assert sorted(map(repr, again.to_pylist())) == sorted(map(repr, written.to_pylist()))


def test_a_format_that_the_cluster_does_not_know_is_named(
    on_spark: Days, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one message of a round that stops there; what readers have stays."""
    settings = on_spark.settings
    before = settings.published_file.resolve(), table_hashes(settings.published_file)
    changed = {"KEHU_HOME": str(settings.home), "KEHU_SPARK_TABLE_FORMAT": "delta"}
    for name, value in (server.settings | changed).items():
        monkeypatch.setenv(name, value)

    done = a_round()

    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("  where: ") == 1, done.stdout
    assert "build_customer_marts.build_marts: The Spark cluster cannot make tables" in done.stdout
    assert f"where: {server.address.shown}, KEHU_SPARK_TABLE_FORMAT" in done.stdout
    assert (settings.published_file.resolve(), table_hashes(settings.published_file)) == before
    assert not list(lake.Lake.of(settings).folder.glob("exchange/*")), "nothing is left"


def test_a_wrong_login_is_refused(on_spark: Days, server: Server) -> None:
    """A token that is not the server's; over Thrift a way to log in that is not the server's (a
    password that is not: see test_servers.py)."""
    right = server.address
    if right.scheme == "sc":
        wrong = replace(right, secret="wrong-9876543210")
        expected: type[KehuError] = AccessError
    else:
        wrong, expected = (
            replace(right, options={"auth": "LDAP"}, secret="wrong-9876543210"),
            SourceError,
        )
    with pytest.raises(expected) as raised, engines.opened(on_spark.settings, wrong):
        pass
    assert "wrong-9876543210" not in str(raised.value)
    assert raised.value.where == right.shown
    assert "auth" in raised.value.do


def test_a_port_where_nobody_listens_is_named(on_spark: Days, server: Server) -> None:
    nowhere = Address.of(server.address.scheme, "127.0.0.1", 1, None, None, server.address.options)
    with (
        pytest.raises(SourceError, match="does not answer"),
        engines.opened(on_spark.settings, nowhere),
    ):
        pass
