"""Charts: round axes, every value at its place."""

from __future__ import annotations

import pytest

from report.charts import Chart, dots, line, numbers, places, powers, stacks
from report.wording import compact, figure


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([3, 97], [0, 20, 40, 60, 80, 100]),
        ([0.0171, 0.25], [0, 0.05, 0.1, 0.15, 0.2, 0.25]),
        ([None, 12_345_678], [0, 2.5e6, 5e6, 7.5e6, 10e6, 12.5e6]),
        ([-30, 60], [-40, -20, 0, 20, 40, 60]),
        ([0, 0], [0, 1]),
        ([], [0, 1]),
    ],
)
def test_an_axis_of_numbers_is_round_and_holds_all(
    values: list[float | None], ticks: list[float]
) -> None:
    axis = numbers("Amount", values, compact)
    assert [at for at, _ in axis.ticks] == pytest.approx(ticks)
    assert (axis.low, axis.high) == pytest.approx((ticks[0], ticks[-1]))


def test_an_axis_of_powers_gives_each_decade_the_same_room() -> None:
    axis = powers("Amount", [3, 4000])
    assert [written for _, written in axis.ticks] == ["1", "10", "100", "1,000", "10,000"]
    assert [axis.place(10**power) for power in range(5)] == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_places_write_only_as_many_labels_as_there_is_room() -> None:
    axis = places("Month", [str(number) for number in range(25)], most=9)
    assert [written for _, written in axis.ticks] == [
        "0",
        "3",
        "6",
        "9",
        "12",
        "15",
        "18",
        "21",
        "24",
    ]
    assert axis.place(12) == 0.5


def test_a_value_stands_where_its_tick_stands() -> None:
    axis = numbers("Days", [10], figure)
    drawn = Chart("Title", "Text", axis, axis, [line("days", "accent", [(10, 10)])])
    assert (drawn.x(0), drawn.y(0)) == (f"{drawn.left:.1f}", f"{drawn.bottom:.1f}")
    assert (drawn.x(10), drawn.y(10)) == (f"{drawn.right:.1f}", f"{drawn.top:.1f}")


def test_a_line_leaves_out_what_is_not_known() -> None:
    assert line("days", "accent", [(0, 1), (1, None), (2, 0)]).points == [(0, 1), (2, 0)]


def test_bars_stand_on_each_other() -> None:
    lower, upper = stacks([("a", "d1", [1, 0]), ("b", "d2", [2, 3])], figure)
    assert lower.points == [(0, 0.0, 1.0, "a: 1")]
    assert upper.points == [(0, 1.0, 3.0, "b: 2"), (1, 0.0, 3.0, "b: 3")]


def test_the_area_of_a_circle_is_the_number_of_customers() -> None:
    ((*_, large, _), (*_, small, _)) = dots(
        "a", "d1", [(0, 0, 400, ""), (0, 0, 100, "")], 400
    ).points
    assert float(large) == pytest.approx(2 * float(small))
