"""One customer on a terminal: who it is, why, what happened, and what its id was before.

In: a customer id, old or new, or a source record. Out: rich renderables. Touches nothing: reads the
published file, whose values are masked, and with `restricted` the marts of the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import connection, engines
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal

EVENTS = 15
"""Events of the timeline that are shown, the newest first."""
_ID = re.compile(r"[0-9a-f]{32}")
_OPEN_ATTRIBUTES = ("full_name", "sex", "birth_date", "identity_no", "phone", "email", "address")


def view(settings: Settings, name: str, *, restricted: bool = False) -> Iterator[RenderableType]:
    """What readers know of the customer `name` means; with `restricted` also names and numbers.

    Raises `WarehouseError` when nobody is known by that name, or nothing is published yet.
    """
    if not settings.published_file.exists():
        raise WarehouseError(
            "Nothing is published yet.",
            where=str(settings.published_file),
            do="run a round first: `make demo`, or the ingest DAGs",
        )
    with connection.read_published(settings.published_file) as con:
        customer_id, led = _find(con, name)
        yield _head(con, customer_id, led)
        yield from _parts(con, customer_id)
    if restricted:
        yield _restricted(settings, customer_id)


def _find(con: Connection, name: str) -> tuple[str, str]:
    """The customer, and how the name led there."""
    if _ID.fullmatch(name):
        if _rows(con, "select 1 from customer.dim_customers where customer_id = ?", name):
            return name, ""
        led = _rows(
            con,
            "select redirected_to, valid_from from customer.customer_redirects"
            " where customer_id = ?",
            name,
        )
        if led:
            return led[0][0], f"{name} was merged into it on {led[0][1]}"
    else:
        system, _, record = re.sub(r"[|]", ":", name, count=1).partition(":")
        found = _rows(
            con,
            "select customer_id from customer.bridge_customer_records"
            " where source_system = ? and source_record_id = ? and valid_to is null",
            system,
            record,
        )
        if found:
            return found[0][0], f"{system} {record} is one of its records"
    raise WarehouseError(
        "No customer is known by that name.",
        where=name,
        do="give a customer id of 32 hexadecimal digits, old or new, or a record as"
        " <system>:<record id>; ids whose records are gone lead nowhere",
    )


def _head(con: Connection, customer_id: str, led: str) -> Panel:
    cursor = con.execute("select * from customer.customer_360 where customer_id = ?", [customer_id])
    names = [column[0] for column in cursor.description or ()]
    table = Table.grid(padding=(0, 2))
    for row in cursor.fetchall():
        for name, value in zip(names, row, strict=True):
            if value is not None and name not in ("customer_id", "run_id"):
                table.add_row(f"[dim]{name}[/]", _text(value))
    return Panel(table, title=f"customer {customer_id}", subtitle=led, title_align="left")


def _parts(con: Connection, customer_id: str) -> Iterator[Table]:
    yield _table(
        "Records",
        con,
        "select source_system, source_record_id, record_kind, match_rule, match_probability,"
        " valid_from, valid_to from customer.bridge_customer_records where customer_id = ?"
        " order by all",
        customer_id,
    )
    yield _table(
        "Why they are one customer",
        con,
        "select left_source_system || ' ' || left_source_record_id as record,"
        " right_source_system || ' ' || right_source_record_id as record_2, comparison,"
        " weight, sentence from customer.identity_explanations where customer_id = ?"
        " order by match_probability desc, record, record_2, comparison",
        customer_id,
    )
    yield _table(
        "Changes of its id",
        con,
        "select changed_on, change_kind, rule, customer_id_before, customer_id_after,"
        " records_moved from customer.fct_identity_changes"
        " where ? in (customer_id_before, customer_id_after)"
        " order by changed_on desc, rule, customer_id_before, customer_id_after",
        customer_id,
    )
    yield _table(
        "Waits for a person",
        con,
        "select left_source_system || ' ' || left_source_record_id as record,"
        " right_source_system || ' ' || right_source_record_id as record_2, review_reason,"
        " match_probability, amount_at_stake from customer.identity_review_queue"
        " where ? in (left_customer_id, right_customer_id) order by review_rank",
        customer_id,
    )
    yield _table(
        f"Newest {EVENTS} events",
        con,
        "select event_at, source_system, event_type, summary, amount, currency_code"
        " from customer.customer_timeline where customer_id = ?"
        f" order by event_at desc, event_key limit {EVENTS}",
        customer_id,
    )


def _restricted(settings: Settings, customer_id: str) -> Table:
    """Names and numbers as the sources have them, with the system that each was taken from."""
    columns = ", ".join(f"{name}, {name}_source" for name in _OPEN_ATTRIBUTES)
    with engines.opened(settings) as engine:
        found = engine.fetch(
            f"select {columns} from core.int_customers where customer_id = {literal(customer_id)}"
        )
    table = Table("attribute", "value", "taken from", title="Restricted", box=box.SIMPLE)
    for row in found:
        for name, value, source in zip(_OPEN_ATTRIBUTES, row[::2], row[1::2], strict=True):
            if value is not None:
                table.add_row(name, _text(value), _text(source))
    return table


def _table(title: str, con: Connection, query: str, customer_id: str) -> Table:
    cursor = con.execute(query, [customer_id])
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for column in cursor.description or ():
        table.add_column(column[0].replace("_2", ""), overflow="fold")
    for row in cursor.fetchall():
        table.add_row(*map(_text, row))
    return table


def _rows(con: Connection, query: str, *values: str) -> list[tuple[Any, ...]]:
    return con.execute(query, list(values)).fetchall()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else escape(str(value))
