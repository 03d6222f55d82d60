"""Nothing about a person leaves the restricted zone: published files, page, logs, screen.

The embedded sources plant canaries: names, numbers and addresses that are listed beside them. They
must be in the working file (or this test would prove nothing) and nowhere else. Beyond them, no
published cell may equal any value of a column that a contract calls personal or identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from extract.contract import read_all
from kehu.settings import CLONE
from tests.dags.conftest import Round
from warehouse import connection

CONTRACTS = read_all([CLONE / "extract" / "contracts"])


def _texts(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, set[str]]]:
    """Every table's cells as texts, whatever their type."""
    tables = con.execute(
        "select table_schema, table_name from information_schema.tables"
    ).fetchall()
    for schema, table in tables:
        names = [row[1] for row in con.execute(f"pragma table_info('{schema}.{table}')").fetchall()]
        cells: set[str] = set()
        for name in names:
            cells.update(
                text
                for (text,) in con.execute(
                    f'select distinct cast("{name}" as varchar) from "{schema}"."{table}"'
                    f' where "{name}" is not null'
                ).fetchall()
            )
        yield f"{schema}.{table}", cells


def _planted_in(text: str, canaries: list[str]) -> list[str]:
    return [canary for canary in canaries if canary in text]


def test_the_canaries_are_in_the_restricted_zone(first_round: Round, canaries: list[str]) -> None:
    with connection.read(first_round.settings) as con:
        held = "\n".join(
            text
            for contract in CONTRACTS
            for column in contract.columns
            if column.identifier
            for (text,) in con.execute(
                f'select distinct "{column.name}" from raw."{contract.raw_table}"'
                f' where "{column.name}" is not null'
            ).fetchall()
            if isinstance(text, str)
        )
    assert len(_planted_in(held, canaries)) >= 10


MAY_BE_EMPTY = {
    "customer.customer_redirects",  # nobody was merged on the first day
    "customer.fct_identity_changes",
    "customer.identity_review_queue",
    "credit.receivable_exceptions",  # the sources have no odd payments
    "value.cross_sell",  # a model that does not beat its baseline is not published
    "value.churn_reasons",
    "value.churn_risk",
    "value.customer_clusters",
    "value.lifetime_value",
    "value.metric_restatements",
    "sales.forecast",
    "sales.forecast_backtest",
    "sales.safety_stock",
}


def test_no_published_cell_holds_a_canary(first_round: Round, canaries: list[str]) -> None:
    with connection.read_published(first_round.published) as con:
        for table, cells in _texts(con):
            assert cells or table in MAY_BE_EMPTY, table
            assert not _planted_in("\n".join(cells), canaries), table


def test_no_published_parquet_holds_a_canary(first_round: Round, canaries: list[str]) -> None:
    files = sorted((first_round.settings.published / "parquet").rglob("*.parquet"))
    assert files
    for path in files:
        table = ds.dataset(path).to_table()
        texts = [
            text
            for column in table.columns
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
            for text in column.unique().to_pylist()
            if text
        ]
        assert not _planted_in("\n".join(texts), canaries), path.name


def test_no_published_cell_equals_a_personal_value(first_round: Round) -> None:
    """Shorter than three characters, or one of a few codes, would equal something by chance."""
    personal: set[str] = set()
    with connection.read(first_round.settings) as con:
        for contract in CONTRACTS:
            for column in contract.columns:
                if column.classification not in ("personal", "identifier") or column.enum:
                    continue
                names = [column.name, *(n for n in column.derived if not n.endswith("_hash"))]
                for name in names:
                    found = con.execute(
                        f'select distinct cast("{name}" as varchar) from raw."{contract.raw_table}"'
                        f' where length(cast("{name}" as varchar)) > 2'
                    ).fetchall()
                    personal.update(text for (text,) in found)
        # Birth dates look like any other day.
        personal = {text for text in personal if not re.fullmatch(r"\d{4}-\d\d-\d\d", text)}
    assert len(personal) > 1000
    with connection.read_published(first_round.published) as con:
        for table, cells in _texts(con):
            assert not cells & personal, table


LEAST = {"identity_number": 15, "phone": 7, "email": 6, "party_name": 2, "address": 6}
"""Characters from which on a value of a kind cannot stand in another text by chance."""
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{7,}[0-9Xx]?(?![0-9A-Za-z])")
_EMAIL = re.compile(r"[^\s@'\"<>,;]+@[^\s@'\"<>,;]+")
_HAN = re.compile(r"[㐀-鿿]{2,}")


class Planted:
    """Every name, number and address of the sources, and a search for them inside other texts."""

    def __init__(self, values: dict[str, set[str]], public: str) -> None:
        numbers = values["identity_number"] | values["phone"]
        self.numbers = {re.sub(r"\D", "", number) for number in numbers}
        self.emails = {email.lower() for email in values["email"]}
        words = {word for word in values["party_name"] | values["address"] if word not in public}
        self.han = {word for word in words if _HAN.search(word)}
        self.longest = max(map(len, self.han))
        self.latin = {word.lower() for word in words - self.han if " " in word}

    def found_in(self, cell: str) -> list[str]:
        """The kinds of what stands in a cell."""
        found = []
        if any(re.sub(r"\D", "", number) in self.numbers for number in _NUMBER.findall(cell)):
            found.append("number")
        if any(email.lower() in self.emails for email in _EMAIL.findall(cell)):
            found.append("email")
        for part in _HAN.findall(cell):
            ends = range(2, min(len(part), self.longest) + 1)
            if any(part[at : at + end] in self.han for end in ends for at in range(len(part))):
                found.append("name or address")
        if " " in cell and any(word in cell.lower() for word in self.latin):
            found.append("latin name or address")
        return found


@pytest.fixture(scope="module")
def planted(first_round: Round) -> Planted:
    values: dict[str, set[str]] = {kind: set() for kind in LEAST}
    with connection.read(first_round.settings) as con:
        for contract in CONTRACTS:
            for column in contract.columns:
                kind = column.identifier or ""
                names = [column.name, *(n for n in column.derived if n.endswith("_norm"))]
                for name in names if kind in LEAST else []:
                    found = con.execute(
                        f'select distinct "{name}" from raw."{contract.raw_table}"'
                        f' where length("{name}") >= {LEAST[kind]}'
                    ).fetchall()
                    values[kind].update(text for (text,) in found)
    assert all(len(found) > 50 for found in values.values())
    seeds = (CLONE / "dbt_project" / "seeds").rglob("*.csv")
    return Planted(values, "\n".join(path.read_text(encoding="utf-8") for path in seeds))


def test_the_search_finds_what_is_planted(planted: Planted) -> None:
    name = next(word for word in planted.han if len(word) < 5)
    number, email = next(iter(planted.numbers)), next(iter(planted.emails))
    assert planted.found_in(f"客户{name}来电") == ["name or address"]
    assert planted.found_in(f"call +{number}, please") == ["number"]
    assert planted.found_in(f"wrote from <{email}>") == ["email"]
    assert planted.found_in("王* called from *******8000, 2026-01-31 12:00:00, 1200.00") == []


def test_no_published_cell_holds_a_value_of_a_person(first_round: Round, planted: Planted) -> None:
    """Not only as a whole cell: names, numbers and addresses inside any text of any table."""
    with connection.read_published(first_round.published) as con:
        for table, cells in _texts(con):
            held = {kind for cell in cells for kind in planted.found_in(cell)}
            assert not held, table


def test_logs_page_and_screen_hold_no_canary(first_round: Round, canaries: list[str]) -> None:
    settings = first_round.settings
    assert not _planted_in(first_round.screen, canaries)
    read = 0
    for folder in (settings.home / "airflow" / "logs", settings.run_reports, settings.dbt_target):
        for path in folder.rglob("*"):
            if path.is_file():
                read += 1
                text = path.read_bytes().decode("utf-8", "replace")
                assert not _planted_in(text, canaries), path
    assert read > 5


def test_what_a_run_leaves_is_for_its_owner_only(first_round: Round) -> None:
    settings = first_round.settings
    for folder in (settings.landing, settings.work_file.parent, settings.published):
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                assert path.stat().st_mode & 0o077 == 0, path
