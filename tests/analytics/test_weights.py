"""Weights from judgements: published figures, several experts, and refusals that name the row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from analytics import weights
from analytics.__main__ import main

SAATY = "first,second,judgement\nprice,quality,1/3\nprice,service,1/5\nquality,service,1/3\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "judgements.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _rounds(folder: Path, text: str) -> list[weights.Round]:
    path = _file(folder, text)
    return weights.rounds(weights.read(path), path.name)


def test_figures_of_a_textbook_matrix(tmp_path: Path) -> None:
    """1, 3, 5 / 1/3, 1, 3 / 1/5, 1/3, 1: 0.637, 0.258, 0.105, lambda 3.039, ratio 0.033."""
    (told,) = _rounds(tmp_path, SAATY)
    by_name = dict(zip(told.indicators, told.weights, strict=True))
    assert by_name == pytest.approx({"price": 0.105, "quality": 0.258, "service": 0.637}, abs=5e-4)
    assert told.ratio == pytest.approx(0.033, abs=5e-4)


def test_judgements_that_agree_give_their_own_weights() -> None:
    wanted = np.array([0.5, 0.3, 0.15, 0.05])
    found, ratio = weights.principal(wanted[:, None] / wanted[None, :])
    assert found == pytest.approx(wanted)
    assert ratio == pytest.approx(0, abs=1e-9)


def test_experts_are_combined_by_the_geometric_mean_and_rounds_are_kept(tmp_path: Path) -> None:
    told = _rounds(
        tmp_path,
        "round,expert,first,second,judgement\n1,ann,a,b,2\n1,bob,a,b,8\n2,ann,a,b,4\n2,bob,a,b,4\n",
    )
    assert [one.number for one in told] == [1, 2]
    # the mean of 2 and 8 is 4: four parts against one
    assert [one.weights for one in told] == [pytest.approx((0.8, 0.2))] * 2
    assert set(told[0].ratio_of_expert) == {"ann", "bob"}


@pytest.mark.parametrize(
    ("rows", "row", "words"),
    [
        # c should be far below a, the row says the reverse
        ("a,b,5\nb,c,5\na,c,1/5\na,d,5\nb,d,3\nc,d,1\n", "row 4", "a against c fits the others"),
        ("a,b,5\nb,a,1/5\n", "row 3", "compared twice"),
        ("a,b,12\n", "row 2", "between 1/9 and 9"),
        ("a,b,much\n", "row 2", "between 1/9 and 9"),
        ("a,b,2\nb,c,2\n", "round 1, expert one", "Nobody compared a with c"),
    ],
)
def test_refusals_name_the_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str, row: str, words: str
) -> None:
    path = _file(tmp_path, "first,second,judgement\n" + rows)
    assert main(["weights", "--judgements", str(path)]) == 2
    said = capsys.readouterr()
    assert row in said.err and words in said.err
    assert said.out == ""


def test_rounded_weights_sum_to_100() -> None:
    for parts in ([1, 1, 1], [1, 1, 1, 1, 1, 1, 1], [5, 3, 1e-9]):
        told = weights.percentages([part / sum(parts) for part in parts])
        assert sum(told) == Decimal(100)


def test_the_command_prints_seed_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, SAATY)
    assert main(["weights", "--judgements", str(path), "--scheme", "s", "--version", "2"]) == 0
    printed = capsys.readouterr().out
    assert "consistency ratio 0.033" in printed
    rows = [line.split(",") for line in printed.splitlines() if line.startswith("s,2,")]
    assert [row[2] for row in rows] == ["price", "quality", "service"]
    assert sum(Decimal(row[3]) for row in rows) == 100
