"""`credit-checks`: the public figures are found, and a wrong book or score is not overlooked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.__main__ import main
from analytics.checks import credit
from analytics.checks.figures import compared, expected_in
from analytics.scorecard.card import Card

DATA = Path(__file__).parent.parent / "data"
MONEY = pa.decimal128(18, 2)
BOOKS = {
    # month: opening, issued, adjusted, settled, written off, closing
    date(2025, 1, 1): ("0", "100.10", "0", "40", "0", "60.10"),
    date(2025, 3, 1): ("60.10", "0", "-0.10", "50", "10", "0"),
}
AMOUNTS = ("opening", "issued", "adjusted", "settled", "written_off", "closing")


def _write(home: Path, table: str, rows: list[dict[str, Any]]) -> None:
    path = home / credit.PUBLISHED / f"{table}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pa.Table.from_pylist(rows)
    for at, name in enumerate(made.column_names):
        if name.endswith("_amount"):
            made = made.set_column(at, name, made[name].cast(MONEY))
    pq.write_table(made, path)


def _books(home: Path, **changed: str) -> dict[str, Any]:
    """The figures of two months of one customer; `changed`: amounts of the second."""
    account = {"customer_id": "c", "source_system": "billing", "currency_code": "CNY"}
    rows = [
        {
            **account,
            "month": month,
            **{
                f"{name}_amount": Decimal(amount)
                for name, amount in zip(AMOUNTS, amounts, strict=True)
            },
        }
        for month, amounts in BOOKS.items()
    ]
    rows[1] |= {f"{name}_amount": Decimal(amount) for name, amount in changed.items()}
    _write(home, "credit/receivable_books", rows)
    open_debts = [
        {**account, "as_of_date": day, "open_amount": Decimal("60.10")}
        for day in (date(2025, 1, 31), date(2025, 2, 28))
    ]
    within = {**account, "as_of_date": date(2025, 3, 7), "open_amount": Decimal("1")}
    _write(home, "credit/receivables_ageing", [*open_debts, within])
    return dict(credit.books(home))


def test_every_public_figure_is_found() -> None:
    expected = expected_in(credit.FIGURES)
    for name, measure in (
        ("accounts_receivable", credit.accounts_receivable),
        ("german_credit", credit.german_credit),
    ):
        lines = compared(name, expected[name], measure(DATA / name))
        assert lines
        assert [line for line in lines if not line.ok] == []


def test_books_that_close_have_no_fault(tmp_path: Path) -> None:
    assert _books(tmp_path) == {
        "months of the books": 2,
        "customers, systems and currencies": 1,
        credit.NOT_CLOSED: 0,
        "months that do not open where the last one closed": 0,
        "month ends that hold anything but the open debts": 0,
    }


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({"settled": "50.01"}, credit.NOT_CLOSED),
        ({"closing": "0.01"}, credit.NOT_CLOSED),
        (
            {"opening": "60.11", "closing": "0.01"},
            "months that do not open where the last one closed",
        ),
    ],
)
def test_a_cent_in_the_books_is_found(tmp_path: Path, changed: dict[str, str], figure: str) -> None:
    found = _books(tmp_path, **changed)
    assert {name for name, count in found.items() if "that" in name and count} == {figure}


def test_a_debt_that_the_books_do_not_know_is_found(tmp_path: Path) -> None:
    _books(tmp_path)
    path = tmp_path / credit.PUBLISHED / "credit" / "receivables_ageing.parquet"
    rows = pq.read_table(path).to_pylist()
    stranger = rows[0] | {"customer_id": "d"}
    _write(tmp_path, "credit/receivables_ageing", [*rows, stranger])
    assert credit.books(tmp_path)["month ends that hold anything but the open debts"] == 1


def test_a_score_that_is_another_is_found(tmp_path: Path) -> None:
    card = Card.read(credit.CARDS / "bank_credit-1.json")
    known = {"as_of_date": date(2025, 1, 31), "customer_id": "c", **dict.fromkeys(card.features)}
    rows = pd.DataFrame([known, known | {"customer_id": "d"}])
    _write(tmp_path, "value/customer_metrics", rows.to_dict("records"))
    told = [
        {
            **{name: row[name] for name in ("as_of_date", "customer_id")},
            "scheme": card.name,
            "version": card.version,
            "score": int(score) + more,
            "reason_codes": ", ".join(why) + others,
        }
        for row, score, why, more, others in zip(
            rows.to_dict("records"),
            card.score(rows),
            card.why(rows),
            (0, 1),
            (", moods", ""),
            strict=True,
        )
    ]
    _write(tmp_path, "credit/credit_scores", told)
    assert list(credit.scores(tmp_path).values()) == [2, 1, 1]


def test_a_home_without_publication_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["credit-checks", "--data", str(DATA), "--demo", str(tmp_path)]) == 2
    assert "make a demo first" in capsys.readouterr().err


def test_a_difference_is_shown_and_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(credit, "accounts_receivable", lambda folder: {"invoices": 2465})
    monkeypatch.setattr(credit, "german_credit", lambda folder: {})
    monkeypatch.setattr(credit, "books", lambda home: {})
    monkeypatch.setattr(credit, "scores", lambda home: {"scores": 99})
    assert main(["credit-checks", "--data", str(DATA), "--demo", str(tmp_path)]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "DIFFERENT" in line]
    assert any("2465" in line for line in lines)
    assert any("99.00" in line for line in lines)
    assert any("missing" in line for line in lines)
