"""The ageing of any table: what is open, how late, what is left out, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from analytics.__main__ import main
from analytics.ageing import command as ageing
from analytics.ageing.build import age

Write = Callable[[str, str], Path]
MAPPING = """
columns: {customer: who, issued: day, due: due, amount: sum, settled: paid_on, paid: paid,
  currency: money}
"""
TABLE = """who,day,due,sum,paid_on,paid,money
on time,2025-01-01,2025-01-31,100.00,2025-01-31,100.00,CNY
late,2025-01-01,2025-01-31,100.00,2025-02-10,100.00,CNY
in part,2025-01-01,2025-01-31,100.00,2025-01-15,40.00,CNY
too much,2025-01-01,2025-01-31,100.00,2025-01-15,130.00,CNY
later,2025-01-01,2025-01-31,100.00,2025-06-01,100.00,CNY
due today,2025-02-01,2025-03-03,70.10,,0,CNY
abroad,2025-01-01,2025-03-02,9.99,,0,USD
credit note,2025-01-01,2025-01-31,-50.00,,0,CNY
due first,2025-01-31,2025-01-01,100.00,,0,CNY
tomorrow,2025-03-04,2025-04-04,100.00,,0,CNY
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_debts_of_any_table_age_by_the_rules(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, to = write("debts.csv", TABLE), tmp_path / "aged.csv"
    words = ["--records", table, "--mapping", write("map.yaml", MAPPING), "--as-of", "2025-03-03"]
    assert main(["ageing", *map(str, words), "--to", str(to)]) == 0
    said = capsys.readouterr().out
    assert "1 rows left out: due before they were issued" in said
    found = {
        row["customer_id"]: (row["bucket"], str(row["open_amount"]), row["currency_code"])
        for row in pyarrow.csv.read_csv(
            to,
            convert_options=pyarrow.csv.ConvertOptions(column_types={"open_amount": pa.string()}),
        ).to_pylist()
    }
    assert found == {
        "in part": ("31-60", "60.00", "CNY"),
        "later": ("31-60", "100.00", "CNY"),
        "due today": ("not due", "70.10", "CNY"),
        "abroad": ("1-30", "9.99", "USD"),
    }


def test_lateness_and_days_that_sales_stay_out(write: Write) -> None:
    debts = ageing.read(write("debts.csv", TABLE), write("map.yaml", MAPPING))
    assert debts.due_before_issued == 1
    told = {
        row["currency_code"]: row
        for row in age(debts.rows, [date(2025, 3, 3)]).lateness.to_pylist()
    }
    cny = told["CNY"]
    # settled: on time, late by 10 days, too much, and the credit note, which owes nothing
    assert (cny["debts"], cny["settled_debts"], cny["late_debts"]) == (7, 4, 1)
    assert (cny["late_amount"], cny["days_late_mean"]) == (Decimal("100.00"), 2.5)
    assert cny["dso_days"] == pytest.approx(365 * 230.10 / 570.10)
    assert cny["best_possible_dso_days"] == pytest.approx(365 * 70.10 / 570.10)
    assert told["USD"]["settled_debts"] == 0
    assert told["USD"]["days_late_mean"] is None


def test_a_table_without_payments_is_all_open(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "debts.parquet"
    day = pa.array([date(2025, 1, 1)])
    pq.write_table(pa.table({"who": ["a"], "day": day, "due": day, "sum": [5.25]}), path)
    mapping = write("map.yaml", "columns: {customer: who, issued: day, due: due, amount: sum}")
    aged = age(ageing.read(path, mapping).rows, [date(2026, 1, 2)]).ageing.to_pylist()
    assert [(row["bucket"], row["open_amount"], row["currency_code"]) for row in aged] == [
        (">365", Decimal("5.25"), ageing.NO_CURRENCY)
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,2025-01-01,,5,,0,CNY", "due is not a date"),
        ("a,2025-01-01,2025-01-31,Canary,,0,CNY", "sum is not a number"),
        ("a,2025-01-01,2025-01-31,5,Canary,0,CNY", "settled is not a date"),
        (",2025-01-01,2025-01-31,5,,0,CNY", "customer is missing"),
    ],
)
def test_rows_that_cannot_be_read_are_named(
    write: Write, capsys: pytest.CaptureFixture[str], row: str, told: str
) -> None:
    table = write("debts.csv", TABLE.splitlines()[0] + f"\n{row}\n")
    words = ["--records", table, "--mapping", write("map.yaml", MAPPING), "--as-of", "2025-03-03"]
    assert main(["ageing", *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "row 1" in said
    assert "Canary" not in said
