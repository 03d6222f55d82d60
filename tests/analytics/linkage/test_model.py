"""The committed model: what the specification says, with weights that are probabilities."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.linkage import model
from analytics.linkage.training import train
from bench.people import make
from kehu.errors import SettingsError


def test_the_newest_model_is_of_the_specification() -> None:
    newest, wanted = model.read(), model.specification()
    for key in ("version", "keep_from", "block_limit", "namesakes", "blocks"):
        assert getattr(newest, key) == wanted[key]
    for kind, comparisons in newest.comparisons.items():
        expected = [model.comparison(each) for each in wanted["comparisons"][kind]]
        for trained, plain in zip(comparisons, expected, strict=True):
            levels = [
                {k: v for k, v in level.items() if not k.endswith("_probability")}
                for level in trained["comparison_levels"]
            ]
            assert levels == plain["comparison_levels"]


def test_weights_are_shares_of_one() -> None:
    for comparisons in model.read().comparisons.values():
        for comparison in comparisons:
            levels = [x for x in comparison["comparison_levels"] if not x.get("is_null_level")]
            for share in ("m_probability", "u_probability"):
                assert sum(level[share] for level in levels) == pytest.approx(1, abs=1e-6)
                assert all(level[share] > 0 for level in levels)


def test_training_again_gives_the_same_file(tmp_path: Path) -> None:
    people = make(600, seed=4)
    files = []
    for at in range(2):
        made = train(people.records, people.edges, people.truth, model.specification(), seed=1)
        files.append(tmp_path / f"{at}.json")
        made.write(files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert model.read(files[0]).digest == made.digest
    name = made.comparisons["person"][0]["comparison_levels"]
    assert name[2]["m_probability"] > 1000 * name[2]["u_probability"]


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"version": "v0"}', encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be read"):
        model.read(path)
