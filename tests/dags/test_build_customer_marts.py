"""`build_customer_marts`: one writer from the first model to the last, layer by layer, tested."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dags.blocks import dbt
from kehu.errors import WarehouseError
from kehu.settings import SYSTEMS, Settings
from tests.dags.conftest import Round
from warehouse import connection, raw, runs


@pytest.fixture(scope="module")
def as_of_dates(first_round: Round) -> list[str]:
    return raw.as_of_dates(first_round.settings)


def test_it_waits_for_all_four_systems(dags: dict[str, Any]) -> None:
    dag = dags["build_customer_marts"]
    assert {asset.name for asset in dag.timetable.asset_condition.objects} == {
        f"raw_{s}" for s in SYSTEMS
    }
    assert [asset.name for task in dag.tasks for asset in task.outlets] == ["marts"]
    assert not dag.is_paused_upon_creation


def test_one_task_holds_the_writer_throughout(dags: dict[str, Any]) -> None:
    """Two tasks would let a load slip in between two layers."""
    assert [task.task_id for task in dags["build_customer_marts"].tasks] == ["build_marts"]


def test_the_round_recorded_its_layers(first_round: Round) -> None:
    with connection.read(first_round.settings) as con:
        stages = dict(
            con.execute(
                "select stage, seconds from ops.stage_seconds where run_id = ?",
                [runs.built_run(first_round.settings)],
            ).fetchall()
        )
    assert list(dbt.LAYERS) == [layer for layer in dbt.LAYERS if stages.get(layer, 0) > 0]


def test_every_test_of_data_runs_in_one_layer(first_round: Round, as_of_dates: list[str]) -> None:
    """Selecting layer by layer must not lose a test that reads models of two layers."""
    seen: list[str] = []
    with dbt._runner(first_round.settings, as_of_dates) as (manifest, run):
        every = {n.unique_id for n in manifest.nodes.values() if n.resource_type == "test"}
        for names in dbt.selections(manifest).values():
            listed = run(
                "list", "--output", "json", "--output-keys", "unique_id",
                "--resource-type", "test", *dbt._TESTS_OF_DATA[:2], "--select", *names,
            )  # fmt: skip
            assert listed.success
            seen += [json.loads(line)["unique_id"] for line in listed.result]
    assert sorted(seen) == sorted(every)


def test_unit_tests_of_the_models(first_round: Round, as_of_dates: list[str]) -> None:
    """A round leaves them out; here every one of them runs."""
    with dbt._runner(first_round.settings, as_of_dates) as (manifest, run):
        outcome = run("test", "--select", "test_type:unit")
        results = [r for r in outcome.result.results if r.node.resource_type == "unit_test"]
        assert len(manifest.unit_tests) == len(results) > 0
        failed = [r.node.name for r in results if str(r.status) != "pass"]
    assert failed == []


def test_another_day_is_told_without_parsing_everything_anew(
    first_round: Round,
) -> None:
    """The newest day is another one in every run; other settings hardly ever change."""
    anew = "Unable to do partial parsing"
    log_file = dbt._log_file(first_round.settings)

    def compiled(settings: Settings, day: str) -> tuple[str, str]:
        before = len(log_file.read_text(encoding="utf-8"))
        with dbt._runner(settings, [day]) as (_, run):
            results = run("compile", "--select", "int_as_of_dates").result.results
        (code,) = [one.node.compiled_code for one in results if one.node.name == "int_as_of_dates"]
        return code, log_file.read_text(encoding="utf-8")[before:]

    for day in ("2024-02-29", "2024-03-31"):
        code, said = compiled(first_round.settings, day)
        assert f"cast('{day}' as date)" in code
        assert anew not in said
    in_euros = replace(first_round.settings, reporting_currency="EUR")
    assert anew in compiled(in_euros, day)[1]


def test_a_failing_test_is_named_without_a_cell(
    first_round: Round, as_of_dates: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Plant a second row for a key that stands in a core table, then ask for its tests."""
    settings = first_round.settings
    with connection.write(settings) as con:
        secret = con.execute(
            "select customer_id from core.int_customers order by all limit 1"
        ).fetchone()
        assert secret is not None
        con.execute("begin")
        con.execute("create table core.kept as select * from core.int_customers")
        con.execute("insert into core.int_customers select * from core.kept limit 1")
        con.execute("commit")
    caplog.set_level(logging.DEBUG)
    try:
        with (
            dbt._runner(settings, as_of_dates) as (_, run),
            pytest.raises(WarehouseError) as raised,
        ):
            dbt._check("layer core", run("test", "--select", "int_customers"), settings)
    finally:
        with connection.write(settings) as con:
            con.execute("drop table core.int_customers")
            con.execute("alter table core.kept rename to int_customers")
    message = str(raised.value)
    assert "test unique_int_customers" in message or "unique" in message
    assert "int_customers found 1 rows" in message or "found" in message
    assert str(secret[0]) not in message + caplog.text


def test_a_model_outside_the_layers_is_refused() -> None:
    class Node:
        resource_type, name, fqn = "model", "astray", ["kehu", "nowhere", "astray"]
        original_file_path = "models/nowhere/astray.sql"

    class Manifest:
        nodes = {"model.kehu.astray": Node()}  # noqa: RUF012

    with pytest.raises(WarehouseError, match="The model astray lies in no layer") as raised:
        dbt.selections(Manifest())
    assert "models/nowhere/astray.sql" in raised.value.where


def test_an_unparsable_project_is_named(settings: Settings, tmp_path: Path) -> None:
    class Elsewhere(Settings):
        @property
        def dbt_project(self) -> Path:
            return tmp_path / "no_project"

    elsewhere = Elsewhere(**{name: getattr(settings, name) for name in settings.__annotations__})
    with pytest.raises(WarehouseError) as raised, dbt._runner(elsewhere, []):
        pass
    assert "dbt cannot run the project" in raised.value.what
    assert "no_project" in raised.value.where
