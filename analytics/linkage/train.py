"""Train the model of the linkage between dbt's layers, from records of which the truth is known.

  python -m analytics linkage train --records FILE --edges FILE --truth FILE --to MODEL.json

Parquet: records as the model int_source_records, edges (left_record_key, right_record_key) as
int_exact_edges, truth (record_key, party_id). `python -m bench.people FOLDER` writes the invented
ones from which the model of this version was trained.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from analytics.linkage import model as models
from analytics.linkage.training import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for name in ("--records", "--edges", "--truth"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True, help="the file of the model")
    parser.add_argument("--version", help="its name; default: that of specification.yaml")
    parser.add_argument("--seed", type=int, default=1)


def run(arguments: argparse.Namespace) -> int:
    specification = models.specification()
    model = train(
        pq.read_table(arguments.records),
        pq.read_table(arguments.edges),
        pq.read_table(arguments.truth),
        specification,
        arguments.seed,
    )
    if arguments.version:
        model = replace(model, version=arguments.version)
    model.write(arguments.to)
    return 0
