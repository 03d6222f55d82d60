"""Weights of a scheme from experts' judgements: AHP, and several experts or rounds (Delphi).

A judgement says how much more one indicator counts than another, on Saaty's scale from 1 (equal)
to 9 (extremely more); the reverse is its reciprocal. The weights are the principal eigenvector of
the matrix, and the consistency ratio says how well the judgements agree with each other: above
0.1 they are refused, with the judgement named that fits the others least (T. L. Saaty, The
Analytic Hierarchy Process, 1980). Experts of a round are combined by the geometric mean of each
judgement, which keeps reciprocals reciprocal (J. Aczel, T. L. Saaty, 1983); every round is kept,
the last one counts.

The file is CSV with the columns `round, expert, first, second, judgement` (round and expert may be
left out); a number, or a fraction such as 1/3. The command prints weights, ratio and seed rows:

    python -m analytics weights --judgements judgements.csv --scheme power_credit --version 2
"""

from __future__ import annotations

import argparse
import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kehu.errors import KehuError

LIMIT = 0.1
"""Highest consistency ratio that is accepted (Saaty)."""

RANDOM_INDEX = (0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
"""Mean consistency index of random matrices by their size (Saaty); from 10 on the last one."""

Matrix = npt.NDArray[np.float64]


class JudgementError(KehuError):
    """Judgements that no weights can be made of."""


@dataclass(frozen=True)
class Judgement:
    """One comparison: `first` counts `ratio` times as much as `second`; `line` of the file."""

    round: int
    expert: str
    first: str
    second: str
    ratio: float
    line: int


@dataclass(frozen=True)
class Round:
    """What one round gives: weights that sum to 1, consistency ratios of all and of each expert."""

    number: int
    indicators: tuple[str, ...]
    weights: tuple[float, ...]
    ratio: float
    ratio_of_expert: dict[str, float]


def principal(matrix: Matrix) -> tuple[Matrix, float]:
    """Weights (summing to 1) and consistency ratio of a positive reciprocal matrix."""
    values, vectors = np.linalg.eig(matrix)
    place = int(np.argmax(values.real))
    vector = np.abs(vectors[:, place].real)
    size = len(matrix)
    index = RANDOM_INDEX[min(size, len(RANDOM_INDEX) - 1)]
    spread = max(float(values[place].real) - size, 0.0) / max(size - 1, 1)
    return vector / vector.sum(), spread / index if index else 0.0


def combine(matrices: Sequence[Matrix]) -> Matrix:
    """The geometric mean of several experts' matrices, judgement by judgement."""
    logarithms = np.stack([np.log(matrix) for matrix in matrices])
    return np.asarray(np.exp(logarithms.mean(axis=0)), dtype=np.float64)


def rounds(judgements: Iterable[Judgement], file: str) -> list[Round]:
    """Weights of every round, oldest first; raises JudgementError naming file and row."""
    of_round: dict[int, dict[str, list[Judgement]]] = defaultdict(lambda: defaultdict(list))
    for one in judgements:
        of_round[one.round][one.expert].append(one)
    if not of_round:
        raise JudgementError(
            "There is no judgement.", where=file, do="write one row per pair of indicators"
        )
    return [_round(number, of_round[number], file) for number in sorted(of_round)]


def _round(number: int, of_expert: dict[str, list[Judgement]], file: str) -> Round:
    names = tuple(dict.fromkeys(n for rows in of_expert.values() for r in rows
                                for n in (r.first, r.second)))  # fmt: skip
    matrices, ratios = [], {}
    for expert, rows in of_expert.items():
        matrix = _matrix(names, rows, f"round {number}, expert {expert}", file)
        weights, ratio = principal(matrix)
        if ratio > LIMIT:
            worst = _least_fitting(names, weights, rows)
            raise JudgementError(
                f"The judgements contradict each other: consistency ratio {ratio:.3f}, at most"
                f" {LIMIT}. {worst.first} against {worst.second} fits the others least: they say"
                f" {weights[names.index(worst.first)] / weights[names.index(worst.second)]:.2f}.",
                where=f"{file}, row {worst.line} (round {number}, expert {expert})",
                do="ask the expert again about this pair",
            )
        matrices.append(matrix)
        ratios[expert] = ratio
    weights, ratio = principal(combine(matrices))
    return Round(number, names, tuple(float(weight) for weight in weights), ratio, ratios)


def _matrix(names: Sequence[str], rows: list[Judgement], who: str, file: str) -> Matrix:
    matrix = np.eye(len(names))
    filled: dict[frozenset[str], Judgement] = {}
    for row in rows:
        pair = frozenset((row.first, row.second))
        if pair in filled or len(pair) == 1:
            raise JudgementError(
                f"{row.first} and {row.second} are compared twice, or one with itself.",
                where=f"{file}, row {row.line} ({who})",
                do="keep one row per pair",
            )
        filled[pair] = row
        first, second = names.index(row.first), names.index(row.second)
        matrix[first, second], matrix[second, first] = row.ratio, 1 / row.ratio
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            if frozenset((one, other)) not in filled:
                raise JudgementError(
                    f"Nobody compared {one} with {other}.",
                    where=f"{file} ({who})",
                    do="add a row for this pair",
                )
    return matrix


def _least_fitting(names: Sequence[str], weights: Matrix, rows: list[Judgement]) -> Judgement:
    def distance(row: Judgement) -> float:
        told = weights[names.index(row.first)] / weights[names.index(row.second)]
        return abs(math.log(row.ratio) - math.log(float(told)))

    return max(rows, key=distance)


def read(path: Path) -> list[Judgement]:
    """The judgements of a CSV file; raises JudgementError naming the row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {"first", "second", "judgement"} - set(rows.fieldnames or ())
            if missing:
                raise JudgementError(
                    f"The file has no column {', '.join(sorted(missing))}.",
                    where=str(path),
                    do="name the columns round, expert, first, second, judgement",
                )
            return [_judgement(row, number, path) for number, row in enumerate(rows, start=2)]
    except (OSError, UnicodeDecodeError) as error:
        raise JudgementError(
            f"The file cannot be read: {type(error).__name__}.",
            where=str(path),
            do="give a CSV file in UTF-8",
        ) from None


def _judgement(row: dict[str, Any], number: int, path: Path) -> Judgement:
    try:
        ratio = float(Fraction((row["judgement"] or "").strip()))
        round_number = int(row.get("round") or 1)
    except (ValueError, ZeroDivisionError):
        ratio, round_number = 0.0, 0
    first, second = (row["first"] or "").strip(), (row["second"] or "").strip()
    if not (1 / 9 - 1e-9 <= ratio <= 9 + 1e-9) or not first or not second or round_number < 1:
        raise JudgementError(
            "A judgement lies between 1/9 and 9, names two indicators and a round from 1 on.",
            where=f"{path}, row {number}",
            do="correct the row",
        )
    return Judgement(round_number, row.get("expert") or "one", first, second, ratio, number)


def percentages(weights: Sequence[float]) -> list[Decimal]:
    """Weights with four decimals that sum to 100; what is left goes to the largest rests."""
    step = Decimal("0.0001")
    exact = [Decimal(repr(weight)) * 100 for weight in weights]
    cut = [value.quantize(step, rounding=ROUND_FLOOR) for value in exact]
    left = int((100 - sum(cut)) / step)
    order = sorted(range(len(cut)), key=lambda place: exact[place] - cut[place], reverse=True)
    for place in (order * (left // len(order) + 1))[:left]:
        cut[place] += step
    return cut


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is told."""
    parser.add_argument("--judgements", type=Path, required=True, help="CSV file of judgements")
    parser.add_argument("--scheme", default="scheme", help="scheme of the seed rows")
    parser.add_argument("--version", type=int, default=1, help="version of the seed rows")


def run(arguments: argparse.Namespace) -> int:
    """Print every round, and the last one as rows for the seed scheme_indicators."""
    path: Path = arguments.judgements
    told = rounds(read(path), str(path))
    for one in told:
        experts = ", ".join(f"{who} {ratio:.3f}" for who, ratio in one.ratio_of_expert.items())
        print(f"round {one.number}: consistency ratio {one.ratio:.3f} ({experts})")  # noqa: T201
        for name, weight in zip(one.indicators, percentages(one.weights), strict=True):
            print(f"  {name:24} {weight:8}")  # noqa: T201
    print("\nscheme,version,indicator,weight")  # noqa: T201
    last = told[-1]
    for name, weight in zip(last.indicators, percentages(last.weights), strict=True):
        print(f"{arguments.scheme},{arguments.version},{name},{weight}")  # noqa: T201
    return 0
