"""Warehouse against source: one changed cell is found with its key, whatever the source is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from dags import __main__ as command
from dags.reconcile import Comparison, reconcile, shown
from expectations.gate import validate_all
from extract.contract import Contract, read
from extract.run import extract_system
from kehu.errors import SettingsError
from kehu.settings import CLONE, Settings
from warehouse import raw

FOLDER = CLONE / "extract" / "contracts"
INSPECTIONS = read(FOLDER / "billing" / "inspections.yaml")
DAY = date(2026, 1, 31)
ROWS = 3_000
TEXTS = ("plain", "", None, "100 % of \\ 'all'", "客户 😀", 'a "quote", and more')
Change = Callable[[str, Sequence[Any]], None]


def rows(contract: Contract) -> list[dict[str, Any]]:
    """Rows with every kind of cell the contract allows."""
    return [
        {column.name: _cell(column, number) for column in contract.columns}
        for number in range(ROWS)
    ]


def _cell(column: Any, number: int) -> Any:
    if column.primary_key:
        return f"K{number:07d}"
    if column.name == "updated_at":
        odd = timedelta(microseconds=500_000 if number % 3 else 0)
        return datetime(2026, 1, 10, 8, 0, 10) + timedelta(minutes=number) + odd  # noqa: DTZ001
    if column.enum:
        return column.enum[number % len(column.enum)]
    if column.name == "due_date":
        return date(2026, 1, 20)
    values: dict[str, Any] = {
        "varchar": TEXTS[number % len(TEXTS)],
        "date": date(2026, 1, 1 + number % 5),
        "boolean": bool(number % 2),
        "integer": number - 5,
        "bigint": number - 5,
        "timestamp": datetime(2026, 1, 1),  # noqa: DTZ001
    }
    value = values.get(column.physical_type, Decimal(number) + Decimal("0.50"))
    if column.required and value in (None, ""):
        return "x"
    return value if column.required or number % 7 else None


TYPES = {
    "postgresql": {"varchar": "text", "double": "double precision", "timestamp": "timestamp"},
    "mysql": {"varchar": "varchar(200)", "timestamp": "datetime(6)", "boolean": "tinyint(1)"},
    "sqlite": {},
}


def make_table(url: str, contract: Contract) -> Change:
    """The table of the contract with `rows`; gives a function that changes it."""
    scheme = urlsplit(url).scheme
    types = TYPES[scheme]
    columns = ", ".join(
        f"{c.name} {types.get(c.physical_type, c.physical_type)}"
        + (" collate nocase" if scheme == "sqlite" and c.physical_type == "varchar" else "")
        for c in contract.columns
    )
    key = ", ".join(contract.key)
    marks = ", ".join("?" for _ in contract.columns)

    def change(sql: str, values: Sequence[Any] = (), *, many: bool = False) -> None:
        with closing(_connect(url)) as con:
            cursor = con.cursor()
            text = sql if scheme == "sqlite" else sql.replace("%", "%%").replace("?", "%s")
            (cursor.executemany if many else cursor.execute)(text, values)
            con.commit()

    change(f"create table {contract.table} ({columns}, primary key ({key}))")
    made = [tuple(_given(cell, scheme) for cell in row.values()) for row in rows(contract)]
    change(f"insert into {contract.table} values ({marks})", made, many=True)
    return change


def _given(cell: Any, scheme: str) -> Any:
    """A cell as the driver takes it."""
    if scheme != "sqlite" or cell is None or isinstance(cell, str | int):
        return cell
    return float(cell) if isinstance(cell, Decimal) else str(cell)


def _connect(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(url.removeprefix("sqlite:///"))
    if parts.scheme == "postgresql":
        import psycopg2

        return psycopg2.connect(url)
    import pymysql

    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
    )


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'billing.db'}"
    return str(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture
def source(url: str, settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, Change]]:
    """A loaded table, and a way to change it in the source."""
    folder = tmp_path / "contracts" / "billing"
    folder.mkdir(parents=True)
    (folder / "inspections.yaml").write_text(INSPECTIONS.path.read_text())
    made = replace(settings, contract_dirs=(tmp_path / "contracts",), source_urls={"billing": url})
    change = make_table(url, INSPECTIONS)
    load(made)
    yield made, change


def load(settings: Settings) -> None:
    batches = extract_system("billing", day=DAY, run_id="r", watermarks={}, settings=settings)
    assert all(verdict.passed for verdict in validate_all(batches, settings))
    raw.load_all(batches, settings, "r")


def compared(settings: Settings) -> Comparison:
    (comparison,) = reconcile(settings, "billing.inspections")
    return comparison


def key(number: int) -> tuple[str, ...]:
    return (f"K{number:07d}",)


def test_every_kind_of_cell_is_equal_and_each_difference_is_named(
    source: tuple[Settings, Change],
) -> None:
    settings, change = source
    first = compared(settings)
    assert first.is_equal, (first.found.changed, first.found.missing, first.found.surplus)
    assert first.found.source_rows == first.found.warehouse_rows == ROWS
    text = next(
        c.name
        for c in INSPECTIONS.columns
        if c.physical_type == "varchar" and not c.enum and not c.primary_key
    )
    name = INSPECTIONS.key[0]

    change(f"update inspections set {text} = 'Plain ' where {name} = ?", key(1234))
    one = compared(settings)
    assert one.found.changed == {key(1234): [text]}
    assert (one.found.missing, one.found.surplus, one.found.complete) == ([], [], True)

    change(f"delete from inspections where {name} = ?", key(7))
    names = ", ".join(c.name for c in INSPECTIONS.columns if not c.primary_key)
    change(
        f"insert into inspections ({name}, {names})"
        f" select 'K99', {names} from inspections where {name} = ?",
        key(100),
    )
    found = compared(settings).found
    assert (found.missing, found.surplus) == ([("K99",)], [key(7)])
    assert found.changed == {key(1234): [text]}
    told = json.loads((settings.home / "reconcile" / "billing.inspections.json").read_text())
    assert told["missing"] == [["K99"]]
    assert told["changed"] == [[list(key(1234)), [text]]]


def test_what_changed_since_the_load_is_left_out_and_counted(
    source: tuple[Settings, Change],
) -> None:
    settings, change = source
    name = INSPECTIONS.key[0]
    change(
        f"update inspections set updated_at = '2026-01-31 23:00:00' where {name} in (?, ?)",
        (*key(4), *key(2999)),
    )
    later = compared(settings)
    assert later.is_equal
    assert later.newer == 2
    assert later.found.source_rows == ROWS - 2


@pytest.fixture
def small(settings: Settings, tmp_path: Path) -> tuple[Settings, Change]:
    folder = tmp_path / "contracts" / "billing"
    folder.mkdir(parents=True)
    (folder / "inspections.yaml").write_text(INSPECTIONS.path.read_text())
    url = f"sqlite:///{tmp_path / 'billing.db'}"
    made = replace(settings, contract_dirs=(tmp_path / "contracts",), source_urls={"billing": url})
    return made, make_table(url, INSPECTIONS)


def test_rows_in_quarantine_are_no_difference(small: tuple[Settings, Change]) -> None:
    settings, change = small
    name = INSPECTIONS.key[0]
    change(f"update inspections set inspected_date = '2026-02-31' where {name} = ?", key(5))
    load(settings)
    comparison = compared(settings)
    assert comparison.is_equal
    assert comparison.found.warehouse_rows == ROWS - 1


def test_keys_of_persons_are_shown_as_pseudonyms() -> None:
    patients = read(FOLDER / "his" / "patients.yaml")
    text = shown(("CANARY-1",), patients, b"k" * 32)
    assert "CANARY" not in text
    assert text.startswith("patient_no pseudonym ")
    assert text == shown(("CANARY-1",), patients, b"k" * 32)
    assert text != shown(("CANARY-1",), patients, b"l" * 32)
    assert shown(key(1), INSPECTIONS, b"k" * 32).endswith("K0000001")


def test_the_command_says_what_differs(
    small: tuple[Settings, Change],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings, change = small
    load(settings)
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    monkeypatch.setenv("KEHU_CONTRACTS", str(settings.contract_dirs[0]))
    monkeypatch.setenv("KEHU_BILLING_URL", settings.source_url("billing"))
    assert command.main(["reconcile", "billing"]) == 0
    assert "equal" in capsys.readouterr().out
    change(f"delete from inspections where {INSPECTIONS.key[0]} = ?", key(9))
    assert command.main(["reconcile", "billing.inspections"]) == 1
    assert "only in the warehouse" in capsys.readouterr().out
    assert command.main(["reconcile", "billing.nothing"]) == 1
    with pytest.raises(SettingsError, match="no such table"):
        list(reconcile(settings, "nowhere"))
