"""A trained linkage model: weights, rules and bounds in one versioned file.

In: the JSON file that `python -m analytics linkage train` wrote. Out: a `Model`. Touches that file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kehu.errors import SettingsError

NEWEST = Path(__file__).parents[1] / "models" / "linkage-v1.json"
SPECIFICATION = Path(__file__).parent / "specification.yaml"
PARTY_KINDS = ("person", "organisation")


@dataclass(frozen=True)
class Model:
    """Everything that scores depend on besides the records."""

    version: str
    keep_from: float
    """Pairs of a lower probability are not kept."""
    block_limit: int
    """A key that more entities hold is no reason to compare them."""
    namesakes: float
    blocks: Sequence[Mapping[str, str]]
    matches_per_entity: Mapping[str, float]
    """Per kind of party: true pairs that exact rules leave open, per entity of it."""
    comparisons: Mapping[str, Sequence[Mapping[str, Any]]]
    """Per kind of party, in the form of Splink's settings."""
    trained_on: Mapping[str, Any]

    def settings(self, party_kind: str, prior: float, *, explain: bool = False) -> dict[str, Any]:
        """Splink's settings for one kind of party; `prior` is the probability of a random pair."""
        return {
            "link_type": "dedupe_only",
            "sql_dialect": "duckdb",
            "unique_id_column_name": "unique_id",
            "probability_two_random_records_match": prior,
            "comparisons": deepcopy(list(self.comparisons[party_kind])),
            "blocking_rules_to_generate_predictions": [],
            "retain_matching_columns": explain,
            "retain_intermediate_calculation_columns": explain,
        }

    @property
    def digest(self) -> str:
        """Of everything in it: a changed file is another model, whatever its version says."""
        return hashlib.md5(_text(self).encode(), usedforsecurity=False).hexdigest()

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(self) + "\n", encoding="utf-8")


def read(path: Path = NEWEST) -> Model:
    """The model of a file; raises `SettingsError` when it is none."""
    try:
        return Model(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f"The linkage model cannot be read: {type(error).__name__}.",
            where=str(path),
            do="name a file that `python -m analytics linkage train` wrote",
        ) from None


def specification(path: Path = SPECIFICATION) -> dict[str, Any]:
    """What a model is trained from: bounds, block rules, comparisons without weights."""
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def comparison(given: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison of the specification in the form of Splink's settings, without weights."""
    levels: list[dict[str, Any]] = []
    if "unknown" in given:
        levels.append(
            {
                "sql_condition": given["unknown"],
                "label_for_charts": "unknown",
                "is_null_level": True,
            }
        )
    for level in given["levels"]:
        made = {"sql_condition": level.get("when", "ELSE"), "label_for_charts": level["label"]}
        if "rarity" in level:
            made |= {
                "tf_adjustment_column": level["rarity"],
                "tf_adjustment_weight": 1.0,
                "disable_tf_exact_match_detection": True,
            }
        levels.append(made)
    return {
        "output_column_name": given["name"].replace(" ", "_").replace("-", "_"),
        "comparison_levels": levels,
    }


def _text(model: Model) -> str:
    return json.dumps(vars(model), ensure_ascii=False, indent=1)
