"""`python -m warehouse show`: one customer by any of its names, masked, and why it is one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from kehu.errors import WarehouseError
from kehu.settings import CLONE, Settings
from tests.dags.conftest import Round
from warehouse import connection, customer_view


def shown(settings: Settings, name: str) -> str:
    screen = StringIO()
    for part in customer_view.view(settings, name):
        Console(width=500, file=screen).print(part)
    return screen.getvalue()


@pytest.fixture(scope="module")
def linked(first_round: Round) -> tuple[str, list[str]]:
    """A customer whom evidence ties together, and its records as `<system>:<record id>`."""
    with connection.read_published(first_round.published) as con:
        ((customer_id,),) = con.execute(
            "select customer_id from customer.identity_explanations group by customer_id"
            " order by count(*) desc, customer_id limit 1"
        ).fetchall()
        records = con.execute(
            "select source_system || ':' || source_record_id from customer.bridge_customer_records"
            " where customer_id = ? and valid_to is null order by all",
            [customer_id],
        ).fetchall()
    return customer_id, [name for (name,) in records]


def test_any_record_leads_to_the_customer(
    first_round: Round, linked: tuple[str, list[str]]
) -> None:
    customer_id, records = linked
    assert len(records) > 1
    by_id = shown(first_round.settings, customer_id)
    assert f"customer {customer_id}" in by_id
    for part in ("Records", "Why they are one customer", "Newest 15 events"):
        assert part in by_id
    for record in records:
        system, number = record.split(":")
        told = shown(first_round.settings, record)
        assert f"{system} {number} is one of its records" in told
        assert told.splitlines()[1:20] == by_id.splitlines()[1:20]
        assert shown(first_round.settings, f"{system}|{number}") == told


def test_the_sentences_of_the_evidence_are_told(
    first_round: Round, linked: tuple[str, list[str]]
) -> None:
    with connection.read_published(first_round.published) as con:
        sentences = con.execute(
            "select distinct sentence from customer.identity_explanations where customer_id = ?",
            [linked[0]],
        ).fetchall()
    told = shown(first_round.settings, linked[0])
    assert sentences
    assert [one for (one,) in sentences if one not in told] == []


def test_no_planted_value_is_shown(first_round: Round, canaries: list[str]) -> None:
    with connection.read(first_round.settings) as con:
        planted = con.execute(
            "select distinct source_system || ':' || source_record_id"
            " from identity.int_source_records where full_name in (select unnest(?::varchar[]))",
            [canaries],
        ).fetchall()
    assert planted, "without a planted person this would prove nothing"
    for (record,) in planted:
        told = shown(first_round.settings, record)
        assert [value for value in canaries if value in told] == []


def test_an_id_of_before_leads_to_the_one_of_today(
    first_round: Round, linked: tuple[str, list[str]], tmp_path: Path
) -> None:
    old, home = "0" * 32, tmp_path / "home"
    settings = replace(first_round.settings, home=home)
    settings.published_file.parent.mkdir(parents=True)
    settings.published_file.write_bytes(first_round.published.read_bytes())
    with duckdb.connect(str(settings.published_file)) as con:
        con.execute(
            "insert into customer.customer_redirects (customer_id, redirected_to, valid_from)"
            " values (?, ?, date '2026-01-15')",
            [old, linked[0]],
        )
    told = shown(settings, old)
    assert f"customer {linked[0]}" in told
    assert f"{old} was merged into it on 2026-01-15" in told


@pytest.mark.parametrize("name", ["f" * 32, "orders:nobody", "nobody"])
def test_who_is_not_known_is_said(first_round: Round, name: str) -> None:
    with pytest.raises(WarehouseError, match="No customer is known by that name") as refused:
        shown(first_round.settings, name)
    assert refused.value.where == name
    assert "<system>:<record id>" in refused.value.do


def test_before_the_first_publication_it_says_so(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="Nothing is published yet"):
        shown(settings, "f" * 32)


def test_names_are_for_a_terminal_only(first_round: Round, linked: tuple[str, list[str]]) -> None:
    command = [sys.executable, "-m", "warehouse", "show", "--restricted", linked[0]]
    environment = {
        **os.environ,
        "KEHU_HOME": str(first_round.settings.home),
        "PYTHONPATH": str(CLONE),
        "COLUMNS": "200",
    }
    with connection.read(first_round.settings) as con:
        ((name,),) = con.execute(
            "select full_name from core.int_customers where customer_id = ?", [linked[0]]
        ).fetchall()
    to_a_file = subprocess.run(
        command, cwd=CLONE, env=environment, check=False, capture_output=True, text=True
    )
    assert to_a_file.returncode != 0
    assert name not in to_a_file.stdout + to_a_file.stderr
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=CLONE, env=environment, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        told = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            told += read
    os.close(ours)
    assert run.returncode == 0
    assert name in told.decode()
