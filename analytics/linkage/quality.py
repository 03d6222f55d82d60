"""Quality of the linkage: on public data, on a table of one's own, on the embedded sources.

  python -m analytics linkage quality --data FOLDER [--demo FOLDER]
  python -m analytics linkage quality --records FILE [FILE] --mapping YAML --truth FILE

Prints precision, recall and F1 of pairs and B-cubed; exit status 1 below a floor of public.yaml.
The truth chooses nothing: weights and threshold come from the records alone. `pairs` are what is
scored above the threshold, `groups` what these pairs connect. docs/identity_quality.md explains.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.table import Table

from analytics.linkage import measures, tables, tutorial
from analytics.linkage.measures import Quality
from analytics.linkage.tables import Mapped
from kehu.errors import AnalysisError

TRUE_FROM = 0.5
PUBLIC = Path(__file__).with_name("public.yaml")


@dataclass(frozen=True)
class Line:
    """What one data set gave."""

    name: str
    what: str
    quality: Quality
    floor: str = ""
    ok: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--demo", type=Path, help="KEHU_HOME of a demo: what it published")
    parser.add_argument("--records", type=Path, nargs="+", help="one table, or two to link")
    parser.add_argument("--mapping", type=Path, help="YAML: what the columns are")
    parser.add_argument("--truth", type=Path, help="who is who; default: the records themselves")
    parser.add_argument("--pairs", type=Path, help="write the scored pairs to this Parquet file")


def run(arguments: argparse.Namespace) -> int:
    lines: list[Line] = []
    public = yaml.safe_load(PUBLIC.read_text(encoding="utf-8"))
    if arguments.data:
        for name, given in public.items():
            if "files" in given:
                lines += _public(name, given, arguments.data)
    if arguments.demo:
        lines += _demo(public["demo"], arguments.demo)
    if arguments.records:
        if not arguments.mapping:
            raise AnalysisError(
                "Nothing says what the columns are.", where="--mapping", do="give a YAML file"
            )
        mapped = tables.read_mapping(arguments.mapping)
        records = tables.read_records(arguments.records)
        pairs = tables.link(records, mapped)
        if arguments.pairs:
            pq.write_table(pairs, arguments.pairs)
        same = _truth(records, mapped, arguments.truth)
        lines += _lines(arguments.records[0].name, records, mapped, pairs, same)
    if not lines:
        raise AnalysisError(
            "Nothing is named to measure.", where="quality", do="give --data, --demo or --records"
        )
    _show(lines)
    return 0 if all(line.ok for line in lines) else 1


def _public(name: str, given: Mapping[str, Any], folder: Path) -> list[Line]:
    mapped = tables.mapping(given["mapping"], f"{PUBLIC.name}: {name}")
    records = tables.read_records([folder / file for file in given["files"]])
    same = _truth(records, mapped, None)
    lines = _lines(name, records, mapped, tables.link(records, mapped), same)
    pairwise = lines[0]
    if least := given.get("least_f1"):
        enough = pairwise.quality.f1 >= least
        lines[0] = Line(name, pairwise.what, pairwise.quality, f"F1 >= {least}", enough)
    if given.get("tutorial"):
        others = tutorial.link(records)
        best = max((_at(others, t, same) for t in np.linspace(0.01, 0.99, 99)), key=lambda q: q.f1)
        enough = pairwise.quality.f1 > best.f1
        lines[0] = Line(name, pairwise.what, pairwise.quality, f"F1 > {best.f1:.4f}", enough)
        lines.append(Line(name, "Splink's tutorial, its best threshold", best))
        lines.append(Line(name, "Splink's tutorial, from 0.95", _at(others, 0.95, same)))
    return lines


def _demo(floors: Mapping[str, float], home: Path) -> list[Line]:
    """Who is one customer by what was published, against the truth of the embedded sources."""
    published = _one_file(home / "published", "bridge_customer_records*.parquet")
    truth = pq.read_table(_one_file(home / "sources", "truth.parquet"))
    bridge = pq.read_table(published)
    if "valid_to" in bridge.column_names:
        bridge = bridge.filter(bridge["valid_to"].is_null())
    keys = ["source_system", "source_record_id"]
    known = bridge.select([*keys, "customer_id"]).join(
        truth.select([*keys, "party_id"]), keys, join_type="inner"
    )
    pairwise, b_cubed = measures.of_groups(
        known["customer_id"].to_pylist(), known["party_id"].to_pylist()
    )
    wanted = f"P >= {floors['least_precision']}, R >= {floors['least_recall']}"
    enough = (
        pairwise.precision >= floors["least_precision"]
        and pairwise.recall >= floors["least_recall"]
    )
    return [
        Line("demo", "pairs", pairwise, wanted, enough),
        Line("demo", "B-cubed", b_cubed),
    ]


def _lines(
    name: str, records: pa.Table, mapped: Mapped, pairs: pa.Table, same: _Truth
) -> list[Line]:
    least = tables.threshold(pairs["match_probability"].to_numpy())
    linked = _from(pairs, least)
    lines = [Line(name, f"pairs from {least:.4f}", _at(pairs, least, same))]
    if same.groups:
        ids = list(same.groups)
        ends: list[Any] = [linked[end].to_pylist() for end in ("left_id", "right_id")]
        group = measures.components(ids, *ends)
        pairwise, b_cubed = measures.of_groups(group, [same.groups[key] for key in ids])
        lines += [Line(name, "groups, pairs in them", pairwise)]
        lines += [Line(name, "groups, B-cubed", b_cubed)]
    return lines


@dataclass(frozen=True)
class _Truth:
    pairs: frozenset[frozenset[str]]
    groups: Mapping[str, str]


def _truth(records: pa.Table, mapped: Mapped, path: Path | None) -> _Truth:
    """Who is who, as the mapping says it is told."""
    told = tables.read_table(path) if path else records
    form = mapped.truth
    ids = [str(value).strip() for value in records[mapped.record_id].to_pylist()]
    file = dict(zip(ids, records[tables.FILE].to_pylist(), strict=True))
    if {"left", "right"} <= set(form):
        ends = zip(
            *(map(str, told[form[end]].to_pylist()) for end in ("left", "right")), strict=True
        )
        scores: Any = told[form["score"]].to_pylist() if "score" in form else [1] * told.num_rows
        pairs = frozenset(
            frozenset(pair)
            for pair, score in zip(ends, scores, strict=True)
            if float(score) >= TRUE_FROM
        )
        return _Truth(pairs, {})
    if {"record", "group"} <= set(form):
        keys = (str(value).strip() for value in told[form["record"]].to_pylist())
        groups = dict(zip(keys, map(str, told[form["group"]].to_pylist()), strict=True))
    elif "pattern" in form:
        found = {key: re.match(form["pattern"], key) for key in ids}
        groups = {key: match[1] if match else key for key, match in found.items()}
    else:
        raise AnalysisError(
            "The mapping does not say how the truth is told.",
            where="truth",
            do="give {record, group}, {left, right} or {pattern}: see docs/identity_quality.md",
        )
    groups = {key: groups.get(key, key) for key in ids}
    members: dict[str, list[str]] = defaultdict(list)
    for key, group in groups.items():
        members[group].append(key)
    all_pairs = frozenset(
        frozenset(pair)
        for keys_of_one in members.values()
        for pair in combinations(keys_of_one, 2)
        if not mapped.between_files or file[pair[0]] != file[pair[1]]
    )
    return _Truth(all_pairs, groups)


def _from(pairs: pa.Table, least: float) -> pa.Table:
    return pairs.filter(pa.array(pairs["match_probability"].to_numpy() >= least))


def _at(pairs: pa.Table, least: float, same: _Truth) -> Quality:
    return measures.of_pairs(measures.pairs_of(_from(pairs, least)), same.pairs)


def _one_file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.rglob(pattern))
    if not found:
        raise AnalysisError(
            "A file of the demo is missing.",
            where=f"{folder}: {pattern}",
            do="run `make demo` with this KEHU_HOME first",
        )
    return found[-1]


def _show(lines: Sequence[Line]) -> None:
    table = Table(title="Quality of the linkage")
    for heading in ("data", "measured", "precision", "recall", "F1", "floor", ""):
        table.add_column(heading)
    for line in lines:
        quality = line.quality
        figures = (f"{x:.4f}" for x in (quality.precision, quality.recall, quality.f1))
        verdict = "" if not line.floor else "ok" if line.ok else "[red]below"
        table.add_row(line.name, line.what, *figures, line.floor, verdict)
    Console(width=120).print(table)
