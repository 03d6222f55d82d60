"""The linkage of a million records, and of a day's new ones, beside plain Splink on the same pairs.

In: numbers of records. Out: a table of seconds and peak memory; with `--days N` whether N days of
new records end where one run over everything ends. Touches a temporary folder, or the one of
--folder, where the invented records are kept for the next run.

Every measurement is a process of its own. Plain Splink gets the same entities, pairs and weights
and does nothing but score them; what the linkage does besides (entities, rarity of names, keys,
fingerprints, explanations) is in the seconds of the whole step. Scoring is compared in CPU seconds
of all threads, which other work on the machine changes least.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import people
from kehu.settings import CLONE

RECORDS_PER_CUSTOMER = 1.4
STATE = ("linkage_edges", "linkage_explanations", "linkage_records", "linkage_runs")


def prepare(folder: Path, records: int, new: int) -> None:
    """All records into `all`, those of the day before into `before`."""
    made = people.make(round((records + new) / RECORDS_PER_CUSTOMER), 5, records + new)
    people.write(made, folder / "all")
    people.write(_first(made, records), folder / "before")


def _first(made: people.People, count: int) -> people.People:
    """The first `count` records and the exact edges between them."""
    records, edges = made.records.slice(0, count), made.edges
    known = records.select(["record_key"]).rename_columns(["key"])
    for end in ("left_record_key", "right_record_key"):
        edges = edges.join(known, end, "key", join_type="left semi")
    return people.People(records, edges, made.truth)


def in_days(records: int, new: int, days: int) -> dict[str, Any]:
    """Days of new records, one after the other, beside everything at once: pairs and their weights
    that only one of the two has, clusters of both, seconds of the days and of the one run."""
    from analytics.linkage import measures
    from analytics.linkage import step as linkage

    made = people.make(
        round((records + new * days) / RECORDS_PER_CUSTOMER), 5, records + new * days
    )
    schemas = (linkage.EDGES, linkage.EXPLANATIONS, linkage.FINGERPRINTS, linkage.RUNS)
    nothing = [schema.empty_table() for schema in schemas]

    def linked(count: int, state: list[Any]) -> tuple[list[Any], float]:
        known, began = _first(made, count), time.monotonic()
        told = linkage.step([], known.records, known.edges, *state)
        return [told[name] for name in STATE], time.monotonic() - began

    state, _ = linked(records, nothing)
    seconds = []
    for day in track(range(1, days + 1), "days", transient=True):
        state, took = linked(records + new * day, state)
        seconds.append(took)
    at_once, whole = linked(records + new * days, nothing)
    pairs = [set(map(tuple, _rows(one[0]))) for one in (state, at_once)]
    exact = list(_rows(made.edges.select(["left_record_key", "right_record_key"])))
    keys: list[Any] = made.records["record_key"].to_pylist()
    groups = [
        measures.components(keys, *zip(*(exact + [row[:2] for row in told]), strict=True))
        for told in pairs
    ]
    return {
        "pairs": len(pairs[1]),
        "differ": len(pairs[0] ^ pairs[1]),
        "clusters": len(set(groups[1])),
        "same": len(set(zip(*groups, strict=True))) == len(set(groups[0])) == len(set(groups[1])),
        "slowest": max(seconds),
        "whole": whole,
    }


def _rows(table: Any) -> Any:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def whole_step(folder: Path, part: str, previous: str) -> dict[str, Any]:
    """The step as dbt's round calls it, from reading Arrow to Arrow."""
    from analytics.linkage import step as linkage

    schemas = (linkage.EDGES, linkage.EXPLANATIONS, linkage.FINGERPRINTS, linkage.RUNS)
    state: list[Any] = [schema.empty_table() for schema in schemas]
    if previous:
        state = [pq.read_table(folder / previous / f"{name}.parquet") for name in STATE]
    records, edges = (pq.read_table(folder / part / f"{n}.parquet") for n in ("records", "edges"))
    began, cpu_before = time.monotonic(), time.process_time()
    made = linkage.step([], records, edges, *state)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu_before
    for name, table in made.items():
        pq.write_table(table, folder / part / f"{name}.parquet")
    runs = made["linkage_runs"].to_pylist()
    return {
        "seconds": seconds,
        "cpu": cpu,
        "pairs": sum(run["pairs_compared"] for run in runs),
        "fresh": sum(run["fresh_entities"] for run in runs),
        "edges": made["linkage_edges"].num_rows,
    }


def scores(folder: Path, part: str, previous: str, plain: bool) -> dict[str, Any]:
    """Scoring alone, ours or Splink's, of the pairs that the step of `part` compares."""
    from analytics.linkage import database, entities, model, scoring, step

    chosen = model.read()
    with database.opened() as opened:
        connection: Any = opened.duckdb_con
        records, edges = (
            pq.read_table(folder / part / f"{name}.parquet") for name in ("records", "edges")
        )
        entities.prepare(connection, records, edges, chosen)
        if previous:
            entities.fingerprints(connection)
            before = pq.read_table(folder / previous / "linkage_records.parquet")
            connection.register("previous_records", before)
            step._mark_fresh(connection, True)
        pairs = scoring.make_pairs(connection, fresh_only=bool(previous))
        if not plain:
            began = time.process_time()
            edges_found = scoring.score(opened, chosen).num_rows
            return {"seconds": time.process_time() - began, "pairs": pairs, "edges": edges_found}
        return plain_splink(opened, chosen, pairs)


def plain_splink(opened: Any, chosen: Any, pairs: int) -> dict[str, Any]:
    from splink import Linker

    connection, seconds, found = opened.duckdb_con, 0.0, 0
    for kind in ("person", "organisation"):
        connection.execute(
            f"create temp table people_{kind} as from entities where party_kind = '{kind}';"
            f"create temp table given_{kind} as select '0' as match_key, left_id as join_key_l,"
            f" right_id as join_key_r from pairs semi join people_{kind} on left_id = unique_id"
        )
        began = time.process_time()
        linker = Linker(
            opened.register(f"people_{kind}"), chosen.settings(kind, 1e-6), log_level=None
        )
        linker.table_management.register_blocked_pairs_for_predict(opened.register(f"given_{kind}"))
        result = linker.inference.predict(threshold_match_probability=chosen.keep_from)
        found += result.as_pyarrow_table().num_rows
        seconds += time.process_time() - began
    return {"seconds": seconds, "pairs": pairs, "edges": found}


def measured(*arguments: str) -> dict[str, Any]:
    """What a process of its own gives, with its seconds and its peak memory in MB."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.identity", *arguments],
        capture_output=True,
        text=True,
        cwd=CLONE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.identity", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="default 1,000,000")
    parser.add_argument("--new", type=int, default=10_000, help="of a day; default 10,000")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--days", type=int, help="days of new records beside one run over all")
    parser.add_argument("--only", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        what, part, previous = (*options.only, "", "")[:3]
        if what == "step":
            result = whole_step(options.folder, part, previous)
        elif what == "prepare":
            prepare(options.folder, options.records, options.new)
            result = {}
        else:
            result = scores(options.folder, part, previous, what == "plain")
        result["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(result))
        return
    if options.days:
        told = in_days(options.records, options.new, options.days)
        print(
            f"{options.days} days of {options.new:,} records on {options.records:,}: at most"
            f" {told['slowest']:.1f} s a day, {told['whole']:.1f} s for one run over all; of"
            f" {told['pairs']:,} weighed pairs {told['differ']:,} differ; {told['clusters']:,}"
            f" clusters, {'the same' if told['same'] else 'NOT the same'}"
        )
        return
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as temporary:
        folder = options.folder or Path(temporary)
        where = ("--folder", str(folder))
        if not (folder / "all" / "records.parquet").exists():
            sizes = ("--records", str(options.records), "--new", str(options.new))
            measured(*where, *sizes, "--only", "prepare")
        table = Table(title=f"{options.records:,} records, {options.new:,} new the next day")
        headings = ("run", "pairs", "kept", "whole step s", "its CPU s", "peak MB")
        for heading in (*headings, "scoring CPU s", "plain Splink CPU s", "speed of plain"):
            table.add_column(heading, justify="left" if heading == "run" else "right")
        for title, part, previous in (
            ("from nothing", "before", ()),
            ("a day later", "all", ("before",)),
        ):
            step = measured(*where, "--only", "step", part, *previous)
            ours, plain = (
                measured(*where, "--only", what, part, *previous) for what in ("ours", "plain")
            )
            table.add_row(
                title,
                f"{step['pairs']:,}",
                f"{step['edges']:,}",
                f"{step['seconds']:.1f}",
                f"{step['cpu']:.1f}",
                f"{step['mb']:,.0f}",
                f"{ours['seconds']:.1f}",
                f"{plain['seconds']:.1f}",
                f"{plain['seconds'] / ours['seconds']:.2f}",
            )
        Console(width=120).print(table)


if __name__ == "__main__":
    main()
