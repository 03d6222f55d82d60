"""What a run does when a source differs from its contract: each kind, by the contract's policy."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from expectations import gate
from extract import __main__ as command
from extract import source_types
from extract.contract import Column, read_all
from extract.run import extract_system
from kehu import settings as environment
from kehu.errors import DriftError
from kehu.settings import ADDED_COLUMNS
from tests.extract.conftest import DAY, Source, Workplace, column, key
from warehouse import connection, raw

AMOUNT = column("amount", "decimal(18,2)")


def bills(source: Source, amount: str = "decimal(18,2)", *cells: object) -> None:
    """The table with one column of the given type; bill k has the k-th cell."""
    source.run(f"CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY, amount {amount})")
    if cells:
        rows = [[f"B{n}", cell] for n, cell in enumerate(cells)]
        source.run("INSERT INTO bills VALUES (?, ?)", rows=rows)


def test_a_new_column_is_added_as_nullable_and_reported(source: Source, place: Workplace) -> None:
    bills(source, "decimal(18,2)", "1.00")
    source.run(
        "ALTER TABLE bills ADD COLUMN remark text",
        "ALTER TABLE bills ADD COLUMN rate decimal(10,3)",
        "INSERT INTO bills VALUES ('B1', 2, 'late', 0.125)",
    )
    place.contract("bills", [key("bill_no"), AMOUNT], drift={"newColumn": "add"})

    first = place.extract()["bills"]

    assert first.manifest.new_columns == ["remark", "rate"]
    assert [(row["remark"], row["rate"]) for row in first.rows] == [
        (None, None),
        ("late", Decimal("0.125")),
    ]
    known = replace(
        place.settings,
        contract_dirs=(*place.settings.contract_dirs, place.settings.home / ADDED_COLUMNS),
    )
    (contract,) = read_all(known.contract_dirs)
    added = [c for c in contract.columns if c.added]
    assert [(c.name, c.required, c.classification) for c in added] == [
        ("remark", False, "health"),
        ("rate", False, "health"),
    ]
    footer = pq.read_metadata(first.batch.data).row_group(0)
    assert not footer.column(contract.arrow_schema.names.index("remark")).is_stats_set

    (again,) = extract_system("billing", day=DAY, run_id="2", watermarks={}, settings=known)
    manifest = place.landed(again).manifest
    assert manifest.new_columns == []
    assert [change.split(",")[0] for change in manifest.schema_changes] == [
        "column remark of billing.bills was added by policy",
        "column rate of billing.bills was added by policy",
    ]


def test_an_added_column_reaches_raw_and_is_empty_in_older_rows(
    place: Workplace, sqlite_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEHU_HASH_KEY", "k" * 32)
    place.url = sqlite_source.url
    told = {"drift": {"newColumn": "add"}, "cursor": "seen", "lookback": "P9D"}
    place.contract("slips", [key("bill_no"), AMOUNT, column("seen", "date", required=True)], **told)
    sqlite_source.run(
        "CREATE TABLE slips (bill_no text PRIMARY KEY, amount numeric, seen text)",
        "INSERT INTO slips VALUES ('B0', 1, '2026-01-29'), ('B1', 2, '2026-01-30')",
    )
    variables = {
        "KEHU_HOME": str(place.root / "home"),
        "KEHU_CONTRACTS": str(place.root / "contracts"),
        "KEHU_BILLING_URL": place.url,
    }

    def run(run_id: str) -> None:
        marks = raw.watermarks("billing", environment.load(variables))
        settings = environment.load(variables)
        found = extract_system(
            "billing", day=DAY, run_id=run_id, watermarks=marks, settings=settings
        )
        settings = environment.load(variables)  # as the next task reads them
        gate.require_passed(gate.validate_all(found, settings))
        raw.load_all(found, settings, run_id)

    run("1")
    sqlite_source.run(
        "ALTER TABLE slips ADD COLUMN channel text",
        "UPDATE slips SET channel = 'app', seen = '2026-01-31' WHERE bill_no = 'B1'",
    )
    run("2")

    with connection.read(environment.load(variables)) as con:
        rows = con.execute(
            "select bill_no, channel, _is_current from raw.billing__slips order by bill_no, seen"
        ).fetchall()
    # B0 was read again by the lag and is the row that it was
    assert rows == [("B0", None, True), ("B1", None, False), ("B1", "app", True)]


def test_a_renamed_column_stops_before_anything_lands(source: Source, place: Workplace) -> None:
    bills(source, "decimal(18,2)", "1.00")
    source.run("ALTER TABLE bills RENAME COLUMN amount TO total")
    place.contract("bills", [key("bill_no"), AMOUNT], drift={"newColumn": "add"})
    with pytest.raises(DriftError, match=r"column amount of billing\.bills is missing"):
        place.extract()
    assert not list((place.root / "home").rglob("*.*"))


def test_a_wider_type_is_read_exactly_or_stops(source: Source, place: Workplace) -> None:
    bills(source, "decimal(20,4)", "1.2500", "1.2345", None)
    place.contract("bills", [key("bill_no"), AMOUNT])

    landed = place.extract()["bills"]

    assert [row["amount"] for row in landed.rows] == [Decimal("1.25"), None, None]
    assert list(landed.errors("bill_no")) == ["B1"]
    if source.kind != "sqlite":  # it gives back what it was told, and keeps any number
        assert "is wider than decimal(18,2)" in landed.manifest.schema_changes[0]
    place.contract("bills", [key("bill_no"), AMOUNT], drift={"widenedType": "stop"})
    with pytest.raises(DriftError, match="is wider than"):
        place.extract()


def test_a_narrower_type_stops_or_is_read(server: Source, place: Workplace) -> None:
    bills(server, "decimal(18,0)", "12", "13")
    place.contract("bills", [key("bill_no"), AMOUNT])
    with pytest.raises(DriftError, match=r"decimal\(18,2\)"):
        place.extract()

    place.contract("bills", [key("bill_no"), AMOUNT], drift={"narrowedType": "quarantine"})
    landed = place.extract()["bills"]
    assert [row["amount"] for row in landed.rows] == [Decimal("12.00"), Decimal("13.00")]
    assert "is narrower than" in landed.manifest.schema_changes[0]


def test_another_type_stops_or_quarantines_what_does_not_fit(
    server: Source, place: Workplace
) -> None:
    server.run("CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY, due text, amount text)")
    rows = [["B0", "2026-01-31", "1.00"], ["B1", "soon, at last", "2.00"], ["B2", "", "3.00"]]
    server.run("INSERT INTO bills VALUES (?, ?, ?)", rows=rows)
    due = column("due", "date")
    place.contract("bills", [key("bill_no"), due])
    with pytest.raises(DriftError, match="which cannot give date unchanged"):
        place.extract()

    policy = {"changedType": "quarantine"}
    place.contract("bills", [key("bill_no"), due], drift=policy)
    landed = place.extract()["bills"]
    assert [str(row["due"]) for row in landed.rows] == ["2026-01-31", "None", "None"]
    assert landed.errors("bill_no") == {"B1": {"due": "soon, at last"}, "B2": {"due": ""}}

    # Money is added up by the source: it cannot be of another kind.
    place.contract("bills", [key("bill_no"), due, AMOUNT], drift=policy)
    with pytest.raises(DriftError, match=r"column amount .* cannot give decimal\(18,2\)"):
        place.extract()


def test_contract_diff_shows_every_kind(
    server: Source,
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bills(server, "decimal(20,4)")
    server.run("ALTER TABLE bills ADD COLUMN extra text, ADD COLUMN due date")
    place.contract(
        "bills",
        [key("bill_no"), AMOUNT, column("due", "timestamp"), column("gone", "varchar")],
    )
    for name, value in (
        ("KEHU_HOME", place.root / "home"),
        ("KEHU_CONTRACTS", place.root / "contracts"),
        ("KEHU_BILLING_URL", place.url),
    ):
        monkeypatch.setenv(name, str(value))
    assert command.main(["check", "billing"]) == 2
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for said in (
        "column extra of billing.bills is not in the contract",
        "column gone of billing.bills is missing",
        "which is wider than decimal(18,2)",
        "column due of billing.bills is date, which is narrower than timestamp",
    ):
        assert said in shown


@pytest.mark.parametrize(
    ("source_type", "contract_type", "relation"),
    [
        ("bigint", "integer", "wider"),
        ("smallint", "integer", "narrower"),
        ("int(11)", "integer", None),
        ("bigint(20) unsigned", "bigint", "wider"),
        ("numeric(18,4)", "decimal(18,2)", "wider"),
        ("numeric(18,2)", "decimal(18,2)", None),
        ("numeric", "decimal(18,2)", "wider"),
        ("NUMERIC", "decimal(18,2)", None),
        ("numeric(20,0)", "decimal(18,2)", "narrower"),
        ("decimal128(20, 2)", "decimal(18,2)", "wider"),
        ("int64", "integer", "wider"),
        ("date", "timestamp", "narrower"),
        ("text", "varchar", None),
        ("text", "bigint", None),
    ],
)
def test_types_are_compared(source_type: str, contract_type: str, relation: str | None) -> None:
    wanted = Column("c", "c", contract_type, "", False, False, "internal")
    assert source_types.compared(source_type, wanted) == relation


@pytest.mark.parametrize(
    ("source_type", "carrier"),
    [
        ("integer", "bigint"),
        ("bigint(20) unsigned", "decimal(20,0)"),
        ("int(10) unsigned", "bigint"),
        ("tinyint(1)", "boolean"),
        ("numeric(10,3)", "decimal(10,3)"),
        ("numeric", None),
        ("decimal128(12, 2)", "decimal(12,2)"),
        ("double precision", "double"),
        ("timestamp without time zone", "timestamp"),
        ("timestamp with time zone", None),
        ("datetime(6)", "timestamp"),
        ("character varying(20)", "varchar"),
        ("longtext", "varchar"),
        ("large_string", "varchar"),
        ("bytea", None),
        ("", None),
    ],
)
def test_a_new_column_is_read_in_a_type_that_carries_it(
    source_type: str, carrier: str | None
) -> None:
    assert source_types.carrier(source_type) == carrier
