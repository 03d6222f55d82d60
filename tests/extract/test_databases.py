"""What every database connector must do, against the real servers."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from extract.connectors import base, postgres
from kehu.errors import DriftError, LandingError, SourceError
from tests.extract.conftest import Source, Workplace, column, key

BILLS = [
    key("bill_no"),
    column("amount", "decimal(18,2)"),
    column("price", "decimal(18,4)"),
    column("issued", "date"),
    column("paid_at", "timestamp"),
    column("kwh", "bigint"),
    column("months", "integer"),
    column("is_final", "boolean"),
    column("note", "varchar", classification="personal"),
    column("updated_at", "timestamp", required=True),
]
CHANGES = {"cursor": "updated_at", "lookback": "PT10M", "deletes": "key_compare"}
CREATE = """CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY, amount decimal(18,2),
    price decimal(18,4), issued date, paid_at {moment}, kwh bigint, months integer,
    is_final boolean, note text, updated_at {moment}){more}"""
INSERT = "INSERT INTO bills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
MOMENT = "2026-01-30 10:00:00"


def create(source: Source) -> str:
    moment = "datetime(6)" if source.kind == "mariadb" else "timestamp"
    more = " COLLATE utf8mb4_bin" if source.kind == "mariadb" else ""
    return CREATE.format(moment=moment, more=more)


def bill(
    number: str, *, amount: object = "1.00", note: object = "", at: str = MOMENT
) -> list[object]:
    return [number, amount, "0.5000", "2026-01-01", MOMENT, 1, 1, True, note, at]


@pytest.mark.fault(33, "extremes of every type, all kinds of databases")
def test_every_type_arrives_exactly(source: Source, place: Workplace) -> None:
    rows = [
        bill("B2", amount="12345678901234.56"),
        ["B1", "0.10", "0.1234", "2024-02-29", "2026-01-30 23:59:59.999999", 2**63 - 1,
         -(2**31), False, 'a "quoted", line\nand 刘伟 😀 \\N', MOMENT],
        ["B3", None, None, None, None, None, None, None, None, MOMENT],
        bill("b1", amount="-12.30"),
    ]  # fmt: skip
    source.run(create(source))
    source.run(INSERT, rows=rows)
    place.contract("bills", BILLS, **CHANGES)

    bills = place.extract()["bills"]

    assert [row["bill_no"] for row in bills.rows] == ["B1", "B2", "B3", "b1"]
    first, second, third, last = bills.rows
    assert first == {
        "bill_no": "B1",
        "amount": Decimal("0.10"),
        "price": Decimal("0.1234"),
        "issued": date(2024, 2, 29),
        "paid_at": datetime.fromisoformat("2026-01-30 23:59:59.999999"),
        "kwh": 2**63 - 1,
        "months": -(2**31),
        "is_final": False,
        "note": 'a "quoted", line\nand 刘伟 😀 \\N',
        "updated_at": datetime.fromisoformat(MOMENT),
        "_cast_errors": None,
    }
    assert second["amount"] == Decimal("12345678901234.56")
    assert second["note"] == ""
    assert {value for name, value in third.items() if name not in ("bill_no", "updated_at")} == {
        None
    }
    assert last["amount"] == Decimal("-12.30")
    assert bills.manifest.control_sums == {"amount": "12345678901222.36", "price": "1.1234"}
    assert (bills.manifest.source_rows, bills.manifest.landed_rows) == (4, 4)


def test_only_changes_are_read_but_all_keys(source: Source, place: Workplace) -> None:
    source.run(create(source))
    source.run(
        INSERT,
        rows=[
            bill("old", at="2026-01-30 09:49:59"),
            bill("late", at="2026-01-30 09:55:00"),
            bill("new", at="2026-01-30 10:30:00.5"),
        ],
    )
    place.contract("bills", BILLS, **CHANGES)
    watermark = datetime.fromisoformat(MOMENT)

    first = place.extract()["bills"]
    second = place.extract({"bills": watermark})["bills"]
    full = place.extract({"bills": watermark}, full=True)["bills"]

    assert first.manifest.cursor_from is None
    assert [row["bill_no"] for row in second.rows] == ["late", "new"]
    assert second.manifest.source_rows == 2
    assert second.manifest.cursor_from == "2026-01-30T09:50:00"
    assert second.manifest.cursor_to == "2026-01-30T10:30:00.500000"
    for batch in (first, second, full):
        assert [row["bill_no"] for row in batch.keys] == ["late", "new", "old"]
        assert batch.manifest.source_keys == 3
    assert full.manifest.landed_rows == 3


def test_watermark_never_goes_back_nor_beyond_the_day(source: Source, place: Workplace) -> None:
    source.run(create(source))
    place.contract("bills", BILLS, **CHANGES)
    watermark = datetime.fromisoformat(MOMENT)

    nothing = place.extract({"bills": watermark})["bills"]
    source.run(INSERT, rows=[bill("wrong clock", at="2099-01-01 00:00:00")])
    future = place.extract({"bills": watermark})["bills"]

    assert nothing.rows == []
    assert nothing.manifest.cursor_to is None
    assert len(future.rows) == 1
    assert future.manifest.cursor_to == "2026-01-31T23:59:59.999999"


def test_rows_without_cursor_are_read_every_time(source: Source, place: Workplace) -> None:
    source.run(create(source))
    source.run(INSERT, rows=[bill("a"), [*bill("b")[:-1], None]])
    place.contract("bills", BILLS, **CHANGES)

    again = place.extract({"bills": datetime.fromisoformat("2026-01-31")})["bills"]

    assert [row["bill_no"] for row in again.rows] == ["b"]


@pytest.mark.parametrize(("readers", "reads"), [(1, 20), (2, 5)])
def test_all_tables_come_from_one_snapshot(
    source: Source, place: Workplace, readers: int, reads: int
) -> None:
    """Money moves between accounts and tables while they are read: no read may see half a move."""
    accounts, place.readers = 400, readers
    tables = ("left_side", "right_side")
    if source.kind == "sqlite":
        source.run("PRAGMA journal_mode=WAL")
    for table in tables:
        source.run(f"CREATE TABLE {table} (id integer PRIMARY KEY, amount decimal(18,2))")
        rows = [[number, "100.00"] for number in range(accounts)]
        source.run(f"INSERT INTO {table} VALUES (?, ?)", rows=rows)
        place.contract(table, [key("id", "integer"), column("amount", "decimal(18,2)")])
    stop, moves = threading.Event(), []

    def move() -> None:
        with closing(source.connect()) as connection:
            while not stop.is_set():
                cursor, number = connection.cursor(), len(moves) % accounts
                ends = ((tables[0], number, -1), (tables[1], accounts - 1 - number, 1))
                if number % 2:  # within one table, from its end to its beginning
                    ends = ((tables[0], accounts - 1 - number, -1), (tables[0], number, 1))
                for table, account, change in ends:
                    cursor.execute(
                        f"UPDATE {table} SET amount = amount + ({change}) WHERE id = {account}"
                    )
                connection.commit()
                moves.append(number)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        seen = [place.extract() for _ in range(reads)]
    finally:
        stop.set()
        mover.join()

    totals = [
        sum(row["amount"] for table in landed.values() for row in table.rows) for landed in seen
    ]
    assert totals == [Decimal(2 * 100 * accounts)] * reads
    states = {landed["left_side"].manifest.control_sums["amount"] for landed in seen}
    assert len(moves) > reads
    assert len(states) > reads // 2, "the mover hardly moved while tables were read"


@pytest.mark.fault(8, "table and column missing, all kinds of databases")
def test_missing_table_and_column_stop_with_their_names(source: Source, place: Workplace) -> None:
    source.run("CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY)")
    place.contract("bills", [key("bill_no"), column("amount", "decimal(18,2)")])
    place.contract("payments", [key("payment_no")])

    with pytest.raises(DriftError) as stopped:
        place.extract()

    message = str(stopped.value)
    assert "column amount of billing.bills is missing" in message
    assert "table of billing.payments is missing" in message
    assert "payments.yaml" in message
    assert not list(place.root.glob("home/landing/**/*.parquet"))


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [("integer", "varchar"), ("text", "bigint")],
)
@pytest.mark.fault(9, "types that cannot hold the contract's, all kinds of databases")
def test_a_type_that_cannot_hold_the_contract_stops(
    source: Source, place: Workplace, declared: str, wanted: str
) -> None:
    source.run(f"CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY, cell {declared})")
    place.contract("bills", [key("bill_no"), column("cell", wanted)])

    with pytest.raises(DriftError, match=r"column cell of billing\.bills is .*which cannot give"):
        place.extract()


@pytest.mark.fault(7, "column added, by the contract's policy")
def test_new_column_is_reported_or_stops_by_contract(source: Source, place: Workplace) -> None:
    source.run("CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY, extra text, secret text)")
    left_out = [{"column": "secret", "why": "not needed"}]
    place.contract("bills", [key("bill_no")], leftOut=left_out)

    assert place.extract()["bills"].manifest.new_columns == ["extra"]

    place.contract("bills", [key("bill_no")], leftOut=left_out, drift={"newColumn": "stop"})
    with pytest.raises(DriftError, match=r"column extra of billing\.bills is not in the contract"):
        place.extract()


def test_names_that_need_quotes(source: Source, place: Workplace) -> None:
    mark = "`" if source.kind == "mariadb" else '"'
    source.run(
        f"CREATE TABLE {mark}order{mark} ({mark}select{mark} varchar(5) PRIMARY KEY,"
        f" {mark}Net Amount{mark} decimal(18,2))",
        f"INSERT INTO {mark}order{mark} VALUES ('a', 2.5)",
    )
    columns = [
        key("code", physicalName="select"),
        column("amount", "decimal(18,2)", physicalName="Net Amount"),
    ]
    place.contract("order", columns)

    assert place.extract()["order"].rows == [
        {"code": "a", "amount": Decimal("2.50"), "_cast_errors": None}
    ]


def test_many_rows_stay_sorted_over_batches(
    source: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_CHUNK", 1 << 16)
    source.run("CREATE TABLE bills (bill_no varchar(20) PRIMARY KEY, amount decimal(18,2))")
    rows = [[f"B{(number * 7919) % 40_009:06d}", number] for number in range(40_009)]
    source.run("INSERT INTO bills VALUES (?, ?)", rows=rows)
    place.contract("bills", [key("bill_no"), column("amount", "decimal(18,2)")])

    bills = place.extract()["bills"]

    numbers = [row["bill_no"] for row in bills.rows]
    assert len(numbers) == 40_009
    assert all(one < other for one, other in pairwise(numbers))


def test_a_failed_table_leaves_no_batch_of_the_run(source: Source, place: Workplace) -> None:
    """The second table's control sum is made to differ: the first one must not stay either."""
    source.run(
        "CREATE TABLE aa (id integer PRIMARY KEY, amount decimal(18,2))",
        "CREATE TABLE bb (id integer PRIMARY KEY, amount decimal(18,2))",
        "INSERT INTO aa VALUES (1, 1)",
        "INSERT INTO bb VALUES (1, 1)",
    )
    columns = [key("id", "integer"), column("amount", "decimal(18,2)")]
    place.contract("aa", columns)
    place.contract("bb", columns)
    from extract import run

    measure = run.parquet.measure

    def lose_a_row(path, contract, until):  # type: ignore[no-untyped-def]
        landed = measure(path, contract, until)
        if contract.table == "aa":
            return landed
        return run.parquet.Landed(landed.rows - 1, {"amount": Decimal(0)}, landed.cursor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.parquet, "measure", lose_a_row)
        with pytest.raises(
            LandingError, match="1 rows in the source, 0 landed; other control sums"
        ):
            place.extract()

    assert [p for p in place.root.glob("home/landing/**/*") if p.is_file()] == []


def test_a_wrong_password_is_tried_once_and_not_shown(
    server: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base.time, "sleep", lambda _: pytest.fail("tried again"))
    user = "kehu_nobody"
    place.url = server.url.replace("postgres@", f"{user}:s3cret@").replace(
        "root@", f"{user}:s3cret@"
    )
    place.contract("bills", [key("bill_no")])

    with pytest.raises(SourceError) as refused:
        place.extract()

    assert "s3cret" not in str(refused.value)
    assert "KEHU_BILLING_URL" in str(refused.value)
    assert user in str(refused.value)


def test_a_source_that_is_down_is_tried_three_times(
    server: Source, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(base.time, "sleep", pauses.append)
    place.url = f"{server.url.partition('://')[0]}://someone:s3cret@127.0.0.1:9/none"
    place.contract("bills", [key("bill_no")])

    with pytest.raises(SourceError) as refused:
        place.extract()

    assert len(pauses) == 2
    assert "127.0.0.1:9" in str(refused.value)
    assert "start the source" in str(refused.value)
    assert "s3cret" not in str(refused.value)
