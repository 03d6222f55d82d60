"""Which columns of a table are what: outcome, features, day, and those that must not be used.

In: a YAML file. Out: a `Mapping`. Touches nothing else. The form is described in
`docs/scorecard.md`; every default stands in `Mapping` and `Feature`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from kehu.errors import SettingsError

USABLE_CLASSES = ("public", "internal")
"""Privacy classes of the contracts that a feature may have. What identifies a person, describes
its body or its health never decides about its credit."""

TRENDS = (
    "auto", "auto_heuristic", "auto_asc_desc", "ascending", "descending", "peak", "valley", "none",
)  # fmt: skip
KINDS = ("numeric", "category")


@dataclass(frozen=True)
class Feature:
    """One column that may explain the outcome.

    `trend` is that of the share of bad outcomes over a numeric feature's bins: `auto` lets the
    data choose, `ascending` or `descending` forces it, `none` leaves it free.
    """

    name: str
    kind: str = "numeric"
    classification: str = "internal"
    protected: bool = False
    trend: str = "auto_asc_desc"
    max_bins: int = 8
    min_bin_share: float = 0.05


@dataclass(frozen=True)
class Mapping:
    """How to read a table of debtors with a known outcome.

    `points_to_double`: points by which the odds of good to bad double; at `base_score` they are
    `base_odds`. Scores are cut at `lowest` and `highest`.
    """

    name: str
    outcome: str
    bad: str
    features: tuple[Feature, ...]
    excluded: tuple[Feature, ...] = ()
    day: str | None = None
    key: str | None = None
    base_score: int = 600
    base_odds: float = 20.0
    points_to_double: float = 50.0
    lowest: int = 300
    highest: int = 850
    reasons: int = 3
    min_information_value: float = 0.02
    penalty: float = 1.0
    folds: int = 5
    repeats: int = 4
    seed: int = 20260131

    @classmethod
    def read(cls, path: Path) -> Mapping:
        """The mapping that stands in a file; raises `SettingsError` naming the line's key."""
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise _wrong(path, f"cannot be read: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise _wrong(path, f"is no YAML: {str(error).splitlines()[0]}") from None
        if not isinstance(content, dict):
            raise _wrong(path, "is empty")
        try:
            return cls.of(content)
        except (TypeError, ValueError) as error:
            raise _wrong(path, str(error)) from None

    @classmethod
    def of(cls, content: dict[str, Any]) -> Mapping:
        """The mapping that a dictionary says.

        Raises `ValueError` for an unknown key, kind or trend, and for a feature whose class or
        protection forbids its use.
        """
        told = dict(content)
        features = [_feature(each) for each in told.pop("features", None) or []]
        if unknown := sorted(set(told) - {each.name for each in fields(cls)}):
            raise ValueError(f"has the unknown keys {', '.join(unknown)}")
        if lacking := [name for name in ("name", "outcome", "bad") if name not in told]:
            raise ValueError(f"lacks {', '.join(lacking)}")
        told["bad"] = str(told["bad"])
        forbidden = tuple(each for each in features if not _is_usable(each))
        usable = tuple(each for each in features if _is_usable(each))
        if not usable:
            raise ValueError("names no feature that may be used")
        return cls(**told, features=usable, excluded=forbidden)


def _feature(content: dict[str, Any]) -> Feature:
    known = {each.name for each in fields(Feature)}
    if unknown := sorted(set(content) - known):
        raise ValueError(f"a feature has the unknown keys {', '.join(unknown)}")
    feature = Feature(**content)
    if feature.kind not in KINDS:
        raise ValueError(f"{feature.name}: kind must be one of {', '.join(KINDS)}")
    if feature.trend not in TRENDS:
        raise ValueError(f"{feature.name}: trend must be one of {', '.join(TRENDS)}")
    return feature


def _is_usable(feature: Feature) -> bool:
    return feature.classification in USABLE_CLASSES and not feature.protected


def _wrong(path: Path, what: str) -> SettingsError:
    return SettingsError(
        f"The mapping of the scorecard {what}.",
        where=str(path),
        do="correct the file; docs/scorecard.md describes every key",
    )
