"""The commands on any table: what they print, what they refuse, and that no value leaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analytics import rfm
from analytics.__main__ import main
from analytics.checks import value as checks

DATA = Path(__file__).parent.parent / "data"
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def _refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr().err
    assert "Canary" not in said
    return said


def test_a_table_without_amounts_is_named(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    table = write("sales.csv", "who,day\nCanary,2026-01-01\n")
    mapping = write("map.yaml", "columns: {customer: who, date: day}\n")
    for command in ("lifetime-value", "rfm"):
        said = _refused(capsys, command, "--transactions", table, "--mapping", mapping)
        assert "The transaction table has no amounts" in said
        assert "sales.csv" in said
        assert "columns.amount" in said


def test_a_bad_row_is_named(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = write("map.yaml", "columns: {customer: who, date: day, amount: [n, price]}\n")
    for row, fault in (
        ("b,2026-01-02,1,Canary", "row 2, column price"),
        ("b,Canary,1,2", "row 2, column date"),
        ("b,2026-01-02,,2", "row 2, column amount"),
        (",2026-01-02,1,2", "row 2, column customer"),
    ):
        table = write("sales.csv", f"who,day,n,price\na,2026-01-01,1,2.5\n{row}\n")
        assert fault in _refused(capsys, "rfm", "--transactions", table, "--mapping", mapping)


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        ("columns: {customer: who, date: day, amount: nothing}", "no column nothing"),
        (
            "columns: {customer: who, date: day, amount: price}\nhorizon: 3",
            "keys that mean nothing",
        ),
        ("customer: who", "has no `columns`"),
        ("columns: {customer: who", "cannot be read"),
    ],
)
def test_a_wrong_mapping_is_named(
    write: Write, capsys: pytest.CaptureFixture[str], mapping: str, fault: str
) -> None:
    table = write("sales.csv", "who,day,price\nCanary,2026-01-01,2.5\n")
    path = write("map.yaml", mapping)
    said = _refused(capsys, "rfm", "--transactions", table, "--mapping", path)
    assert fault in said


def test_customers_without_outcome_are_refused(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write("people.csv", "who,spend,left\nCanary,1,yes\nb,2,no\n")
    missing = write("one.yaml", "columns: {customer: who}\n")
    said = _refused(capsys, "churn", "--customers", table, "--mapping", missing)
    assert "does not say who left" in said
    few = write("two.yaml", "columns: {customer: who, churned: left}\nchurned_is: maybe\n")
    said = _refused(capsys, "churn", "--customers", table, "--mapping", few)
    assert "0 of 2 customers left" in said


def test_nobody_bought_twice(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    table = write("sales.csv", "who,day,price\nCanary,2026-01-01,2.5\nb,2026-01-03,4\n")
    mapping = write("map.yaml", "columns: {customer: who, date: day, amount: price}\n")
    said = _refused(capsys, "lifetime-value", "--transactions", table, "--mapping", mapping)
    assert "nobody has a repeat purchase" in said


def test_lifetime_value_of_any_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "told.csv"
    words = ["lifetime-value", "--transactions", str(DATA / "cdnow" / "CDNOW_sample.txt.gz")]
    words += ["--mapping", str(checks.MAPPINGS / "cdnow.yaml"), "--until", "1997-09-30"]
    assert main([*words, "--holdout", "273", "--to", str(told)]) == 0
    said = capsys.readouterr().out
    assert "0.2426" in said
    assert "holdout_correlation" in said
    assert len(told.read_text(encoding="utf-8").splitlines()) == 2358


def test_rfm_takes_the_definitions_of_the_mart() -> None:
    """On the sample of the web shop: figures of the pipeline's own check, computed another way."""
    from demo.public import figures

    expected = figures.retail(DATA)
    retail = DATA / "online_retail" / "online_retail.parquet"
    found = rfm.measure(retail, checks.MAPPINGS / "online_retail.yaml", figures.RETAIL_AS_OF.date())
    top, share = found.top_share(0.2)
    assert (found.rows.num_rows,) == expected["retail buyers"]
    assert (top,) == expected["retail buyers in the top fifth"]
    assert (round(share, 4),) == expected["retail share of the top fifth, percent"]
    for customer in figures.RFM_CUSTOMERS:
        assert found.of(str(customer)) == expected[f"rfm {customer}"]
    for letter in "rfm":
        bands = found.rows[f"{letter}_score"].to_pylist()
        for band in range(1, 6):
            assert (bands.count(band),) == expected[f"rfm buyers with {letter} {band}"]


def test_a_different_figure_is_shown_and_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "cdnow", lambda folder: {"customers": 2356})
    monkeypatch.setattr(
        checks, "online_retail", lambda folder: {"share of the top fifth, percent": 74.61709}
    )
    monkeypatch.setattr(checks, "telco_churn", lambda folder, console: {
        "mean AUC of ten unseen quarters": 0.8399, "mean calibration error": 0.0299,
    })  # fmt: skip
    assert main(["value-checks", "--data", str(DATA)]) == 1
    said = capsys.readouterr().out
    lines = {line.split("│")[2].strip(): line for line in said.splitlines() if "│" in line}
    assert "2356 │ DIFFERENT" in lines["customers"] or "DIFFERENT" in said
    assert "ok" in lines["share of the top fifth, percent"]
    assert "0.8399 │ DIFFERENT" in lines["mean AUC of ten unseen quarters"]
    assert "missing │ DIFFERENT" in lines["BG/NBD r"]
