"""The regression of the receivable cycle: known coefficients come back; too little is a note."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from analytics.cycle_regression import TERMS, regress

DAYS = [date(2025, 12, 31), date(2026, 1, 31)]
FEWEST = 30
SETTINGS = pa.table({"setting": ["cycle_fewest_observations"], "value": [FEWEST]})


def observations(rows: int, *, noise: float = 0.01) -> pa.Table:
    rng = np.random.default_rng(7)
    share, timeliness = rng.uniform(0, 1, rows), rng.uniform(0.5, 1, rows)
    centred = share - share.mean() if rows else share
    cycle = 60 + 20 * centred - 90 * centred**2 - 30 * timeliness + rng.normal(0, noise, rows)
    return pa.table(
        {
            "receivable_cycle_days": cycle,
            "top5_share": share,
            "collection_timeliness": timeliness,
        }
    )


def test_known_coefficients_come_back() -> None:
    rows = regress(DAYS, observations(200), SETTINGS)["cycle_regression"].to_pylist()
    assert [row["term"] for row in rows] == list(TERMS)
    assert {row["as_of_date"] for row in rows} == {DAYS[1]}
    found = [row["coefficient"] for row in rows]
    assert found == pytest.approx([60, 20, -90, -30], abs=0.05)
    assert all(row["p_value"] < 0.01 and row["note"] is None for row in rows)
    assert all(1 <= row["variance_inflation"] < 1.5 for row in rows[1:])
    assert rows[0]["r_squared"] > 0.999


@pytest.mark.parametrize("rows", [0, FEWEST - 1])
def test_too_few_observations_give_a_note_and_no_number(rows: int) -> None:
    made = regress(DAYS, observations(rows), SETTINGS)["cycle_regression"].to_pylist()
    assert len(made) == len(TERMS)
    assert all(row["coefficient"] is None and "too few" in row["note"] for row in made)
    assert made[0]["observations"] == rows
    assert made[0]["note"].endswith(f"{FEWEST} are needed")


def test_as_many_as_are_asked_for_are_enough() -> None:
    made = regress(DAYS, observations(FEWEST), SETTINGS)["cycle_regression"].to_pylist()
    assert all(row["note"] is None and row["coefficient"] is not None for row in made)


def test_a_term_that_never_moves_gives_a_note() -> None:
    table = observations(50)
    still = table.set_column(1, "top5_share", pa.array([0.5] * 50))
    made = regress(DAYS, still, SETTINGS)["cycle_regression"].to_pylist()
    assert {row["note"] for row in made} == {"a term does not vary"}


def test_rows_without_a_value_are_left_out() -> None:
    table = observations(40)
    holes = pa.array([None, *table["collection_timeliness"].to_pylist()[1:]], pa.float64())
    made = regress(DAYS, table.set_column(2, "collection_timeliness", holes), SETTINGS)
    assert made["cycle_regression"]["observations"].to_pylist() == [39] * 4
