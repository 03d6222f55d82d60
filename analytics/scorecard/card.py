"""The scorecard: whole points per bin, so that a score is the same number wherever it is summed.

In: bins and coefficients, or a file. Out: scores, probabilities, reasons; a versioned JSON file;
rows of the seeds `scorecards` and `scorecard_bins`. Touches the files it is told to.

With factor = points to double / ln 2, a score of log odds is offset + factor x ln(good : bad); each
bin's points are its share of that, rounded, and the score is their sum (Siddiqi 2006, chapter 6).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.scorecard.binning import Bin, numbers
from kehu.errors import SettingsError

FORMAT = 1


@dataclass(frozen=True)
class Attribute:
    """A bin with its points."""

    bin: Bin
    points: int


@dataclass(frozen=True)
class Card:
    """A scorecard. `offset` and `factor` turn a score into the odds of good to bad."""

    name: str
    version: int
    base_points: int
    offset: float
    factor: float
    lowest: int
    highest: int
    reasons: int
    attributes: tuple[Attribute, ...]
    coefficients: tuple[tuple[str, float], ...]
    trained: tuple[tuple[str, str], ...] = ()
    """What it was trained on: rows, bad, SHA-256 of the data."""
    quality: tuple[tuple[str, int, str, float], ...] = ()
    """On rows it did not see: kind (measure, calibration, roc, stability), position, name,
    value."""

    @property
    def features(self) -> list[str]:
        """Names of the features, in the order of the card."""
        return list(dict.fromkeys(each.bin.feature for each in self.attributes))

    def bins(self, feature: str) -> list[Attribute]:
        return [each for each in self.attributes if each.bin.feature == feature]

    def points(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Points per row and feature (columns: the features)."""
        columns = {}
        for feature in self.features:
            attributes = self.bins(feature)
            table = np.array([each.points for each in attributes], dtype=np.int64)
            place = numbers([each.bin for each in attributes], rows[feature])
            columns[feature] = table[place]
        return pd.DataFrame(columns, index=rows.index)

    def score(self, rows: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Score per row: base and points, cut at the bounds."""
        total = self.base_points + self.points(rows).sum(axis=1).to_numpy(dtype=np.int64)
        score: npt.NDArray[np.int64] = np.clip(total, self.lowest, self.highest)
        return score

    def probability(self, score: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probability of a bad outcome at a score."""
        odds = (np.asarray(score, dtype=float) - self.offset) / self.factor
        return np.asarray(1 / (1 + np.exp(odds)))

    def why(self, rows: pd.DataFrame) -> list[list[str]]:
        """Per row the features that cost most points against their best bin; none at no loss."""
        points = self.points(rows)
        best = {name: max(each.points for each in self.bins(name)) for name in self.features}
        lost = pd.DataFrame({name: best[name] - points[name] for name in self.features})
        names = np.array(self.features)
        order = np.argsort(-lost.to_numpy(), axis=1, kind="stable")[:, : self.reasons]
        amounts = np.take_along_axis(lost.to_numpy(), order, axis=1)
        return [
            [str(name) for name, amount in zip(names[row], some, strict=True) if amount > 0]
            for row, some in zip(order, amounts, strict=True)
        ]

    def write(self, path: Path) -> None:
        """The versioned file."""
        content = asdict(self) | {"format": FORMAT}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Card:
        """The card in a file; raises `SettingsError` when there is none."""
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("format") != FORMAT:
                raise ValueError("another format")
            content["attributes"] = tuple(map(_attribute, content["attributes"]))
            for name in ("coefficients", "trained", "quality"):
                content[name] = tuple(map(tuple, content[name]))
            return cls(**content)
        except (OSError, ValueError, KeyError, TypeError):
            raise SettingsError(
                "The file is no scorecard.",
                where=str(path),
                do="train one: python -m analytics scorecard train --help",
            ) from None

    def seed_rows(self, valid_from: str) -> dict[str, list[dict[str, Any]]]:
        """Rows by seed: `scorecards`, `scorecard_bins` (one per bin, or per category of it),
        `scorecard_figures`."""
        head = {
            "scorecard": self.name,
            "version": self.version,
            "valid_from": valid_from,
            "base_points": self.base_points,
            "score_offset": repr(self.offset),
            "score_factor": repr(self.factor),
            "lowest_score": self.lowest,
            "highest_score": self.highest,
            "reason_count": self.reasons,
        }
        named = {"scorecard": self.name, "version": self.version}
        return {
            "scorecards": [head],
            "scorecard_bins": [self._seed_row(*each) for each in self._attribute_values()],
            "scorecard_figures": [
                named | {"kind": kind, "position": at, "name": name, "value": f"{value:.6f}"}
                for kind, at, name, value in self.quality
            ],
        }

    def _attribute_values(self) -> Iterator[tuple[Attribute, str | None]]:
        for attribute in self.attributes:
            for category in attribute.bin.categories or (None,):
                yield attribute, category

    def _seed_row(self, attribute: Attribute, category: str | None) -> dict[str, Any]:
        found = attribute.bin
        return {
            "scorecard": self.name,
            "version": self.version,
            "feature": found.feature,
            "feature_no": self.features.index(found.feature) + 1,
            "bin": found.number,
            "lower": _text(found.lower),
            "upper": _text(found.upper),
            "category": category or "",
            "is_missing": str(found.is_missing).lower(),
            "good": found.good,
            "bad": found.bad,
            "woe": f"{found.woe:.6f}",
            "information_value": f"{found.iv:.6f}",
            "points": attribute.points,
        }


def scaled(base_score: int, base_odds: float, points_to_double: float) -> tuple[float, float]:
    """Offset and factor of the scale."""
    factor = points_to_double / math.log(2)
    return base_score - factor * math.log(base_odds), factor


def write_seeds(folder: Path, cards: Sequence[tuple[Card, str]]) -> list[Path]:
    """Write the seeds of cards, each with the day it is valid from; gives the paths."""
    seeds: dict[str, list[dict[str, Any]]] = {}
    for card, valid_from in cards:
        for name, rows in card.seed_rows(valid_from).items():
            seeds.setdefault(name, []).extend(rows)
    paths = []
    for name, rows in seeds.items():
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        paths.append(path)
    return paths


def _attribute(content: dict[str, Any]) -> Attribute:
    told = content["bin"] | {"categories": tuple(content["bin"]["categories"])}
    return Attribute(Bin(**told), content["points"])


def _text(number: float | None) -> str:
    return "" if number is None else repr(number)
