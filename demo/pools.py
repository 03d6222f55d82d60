"""What everything is put together from: names, places and goods, read from `demo/data`.

In: the YAML files beside this module. Out: frozen pools of Arrow arrays. Touches: reads them only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from demo.arrow import Texts
from demo.chance import Ints
from kehu.errors import KehuError

DATA = Path(__file__).resolve().parent / "data"


@cache
def read(name: str) -> Any:
    """A data file of the demo, e.g. `business`."""
    path = DATA / f"{name}.yaml"
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise KehuError(
            "A data file of the demo cannot be read.",
            where=str(path),
            do="restore it from the repository, or correct what you changed",
        ) from error


def _texts(values: Sequence[Any]) -> Texts:
    return pa.array([str(value) for value in values], type=pa.string())


@dataclass(frozen=True)
class Characters:
    """Chinese characters: simplified, traditional, pinyin, and a slip of the pen for each."""

    simplified: Texts
    traditional: Texts
    pinyin: Texts
    slip: Texts

    def __len__(self) -> int:
        return len(self.simplified)


@dataclass(frozen=True)
class Latin:
    """Parts of Latin names of all languages, one after the other."""

    male: Texts
    female: Texts
    family: Texts
    bounds: Mapping[str, Ints]
    """By part: where each language begins, and the end."""

    def draw(self, part: str, language: Ints, chance: Any) -> Ints:
        """Position of a part in the pool of a language; `chance` is uniform in [0, 1)."""
        first, last = self.bounds[part][language], self.bounds[part][language + 1]
        drawn: Ints = (first + np.floor(chance * (last - first))).astype(np.int64)
        return drawn


@dataclass(frozen=True)
class Names:
    surnames: Characters
    male: Characters
    female: Characters
    brands: Characters
    latin: Latin
    languages: tuple[str, ...]


def _characters(lines: Sequence[str]) -> Characters:
    simplified, traditional, pinyin = zip(*(line.split() for line in lines), strict=True)
    by_sound: dict[str, list[str]] = {}
    for character, sound in zip(simplified, pinyin, strict=True):
        by_sound.setdefault(sound, []).append(character)
    slips = []
    for position, (character, sound) in enumerate(zip(simplified, pinyin, strict=True)):
        # people mistype a name by its sound; without a homophone the neighbour in the list does
        alike = [other for other in by_sound[sound] if other != character]
        slips.append(alike[0] if alike else simplified[position - 1])
    return Characters(_texts(simplified), _texts(traditional), _texts(pinyin), _texts(slips))


@cache
def names() -> Names:
    document = read("names")
    parts: dict[str, list[str]] = {"male": [], "female": [], "family": []}
    bounds: dict[str, list[int]] = {part: [0] for part in parts}
    for language in document["latin"].values():
        for part, values in parts.items():
            values.extend(language[part])
            bounds[part].append(len(values))
    return Names(
        surnames=_characters(document["surnames"]),
        male=_characters(document["given_male"]),
        female=_characters(document["given_female"]),
        brands=_characters(document["brands"]),
        latin=Latin(
            male=_texts(parts["male"]),
            female=_texts(parts["female"]),
            family=_texts(parts["family"]),
            bounds={part: np.asarray(values) for part, values in bounds.items()},
        ),
        languages=tuple(document["latin"]),
    )


def plain(texts: Texts) -> Texts:
    """Latin letters without their diacritics, as an old system or a hurried clerk writes them."""
    replaced = []
    for text in texts.to_pylist():
        text = text.replace("ß", "ss").replace("đ", "d").replace("Đ", "D")
        letters = unicodedata.normalize("NFD", text)
        replaced.append("".join(c for c in letters if not unicodedata.combining(c)))
    return _texts(replaced)


def slipped(texts: Texts) -> Texts:
    """Latin names with two letters exchanged."""
    return _texts(
        [t[0] + t[2] + t[1] + t[3:] if len(t) > 3 else t + t[-1] for t in texts.to_pylist()]
    )


@dataclass(frozen=True)
class Places:
    code: Ints
    area_code: Texts
    province: Texts
    city: Texts
    district: Texts
    latin: Texts
    short_city: Texts
    birth_regions: Ints
    road: Texts
    road_latin: Texts
    estate: Texts
    mobile_prefixes: Ints
    test_phones: Texts


@cache
def places() -> Places:
    document = read("places")
    rows = [line.split(" ", 5) for line in document["districts"]]
    code, area, province, city, district, latin = zip(*rows, strict=True)
    roads = [line.split(" ", 1) for line in document["roads"]]
    return Places(
        code=np.asarray([int(value) for value in code]),
        area_code=_texts(area),
        # a city under the central government is its own province and is written once
        province=_texts(["" if p == c else p for p, c in zip(province, city, strict=True)]),
        city=_texts(city),
        district=_texts(district),
        latin=_texts(latin),
        short_city=_texts([value.removesuffix("市") for value in city]),
        birth_regions=np.asarray(document["birth_regions"]),
        road=_texts([road for road, _ in roads]),
        road_latin=_texts([latin_name for _, latin_name in roads]),
        estate=_texts(document["estates"]),
        mobile_prefixes=np.asarray(document["mobile_prefixes"]),
        test_phones=_texts(document["test_phones"]),
    )


def texts(document: str, key: str) -> Texts:
    """A list of a data file as an Arrow array."""
    return _texts(read(document)[key])
