"""Source records of invented people without the facts around them: many, and quickly.

In: a number of records and a seed. Out: Arrow tables as the models `int_source_records` and
`intexact_edges` have them, and who is who in truth. Touches nothing on disk.

People and spelling are those of `demo`, normalisation is the gate's; the exact rules are those of
the seed `match_rules`.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demo import service, spelling
from demo.chance import stream
from demo.clock import NEVER
from demo.frames import pick, repeated
from demo.records import SYSTEM_OF
from demo.setting import Setting, lay_out
from expectations.identifiers import derive
from kehu.settings import CLONE

DAY = date(2026, 1, 31)
RULES = CLONE / "dbt_project" / "seeds" / "identity" / "match_rules.csv"
KINDS = {"full_name": "party_name", "identity_no": "identity_number", "phone": "phone",
         "email": "email", "address": "address"}  # fmt: skip
_KEY = b"0" * 32


@dataclass(frozen=True)
class People:
    """`records`: record_key, … as int_source_records; `edges`: left_record_key,
    right_record_key; `truth`: record_key, party_id."""

    records: pa.Table
    edges: pa.Table
    truth: pa.Table


def make(customers: int, seed: int, records: int | None = None) -> People:
    """The records of `customers` parties, or the first `records` of them in a random order."""
    world = lay_out(seed, customers, DAY, DAY)
    table = pa.concat_tables([_of_kind(world, kind) for kind in SYSTEM_OF])
    order = np.random.default_rng(seed).permutation(table.num_rows)
    table = table.take(order[:records])
    for column, kind in KINDS.items():
        derived = derive(table[column].combine_chunks(), kind, _KEY)
        for suffix in ("_norm", "_pinyin"):
            if suffix in derived:
                name = ("name" if column == "full_name" else column) + suffix
                table = table.append_column(name, derived[suffix])
    truth = table.select(["record_key", "party_id"])
    table = table.drop_columns(["party_id"])
    return People(table, exact_edges(table), truth)


def _of_kind(world: Setting, kind: str) -> pa.Table:
    records, details, people = world.records[kind], world.details(kind), world.people
    party, size = records.party, len(records)
    rng = stream(world.seed, "people", kind)
    nobody: Any = pa.nulls(size, pa.string())
    born: Any = pa.nulls(size, pa.date32())
    sex = nobody
    if kind == "patient":
        days = spelling.birth_date(people, party, rng)
        known = days < NEVER
        born = pa.array(np.where(known, days, 0).astype(np.int32), mask=~known).cast(pa.date32())
        sex = pa.array(np.where(people.male[party], "M", "F"))
    firm = people.organisation[party]
    named = nobody
    if kind == "caller":
        system, record = service.named_records(world)
        named = pc.binary_join_element_wise(
            pick(repeated(tuple(service.NAMED)), system), record, "|"
        )
    table = pa.table(
        {
            "record_key": pc.binary_join_element_wise(
                pa.scalar(SYSTEM_OF[kind]), records.ids.cast(pa.string()), "|"
            ),
            "record_kind": pa.repeat(kind, size),
            "party_kind": pa.array(np.where(firm, "organisation", "person")),
            "full_name": details.name,
            "sex": sex,
            "birth_date": born,
            "identity_no": details.identity,
            "phone": details.phone,
            "email": details.email,
            "address": nobody if kind == "caller" else details.address,
            "region": nobody if kind == "caller" else details.region,
            "named_record_key": named,
            "party_id": pa.array(party),
        }
    )
    return table.filter(pa.array(records.entered <= world.now)).combine_chunks()


def write(people: People, folder: Path) -> None:
    """The three tables as Parquet, as `python -m analytics linkage train` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in vars(people).items():
        pq.write_table(table, folder / f"{name}.parquet")


def exact_edges(records: pa.Table) -> pa.Table:
    """Oldest to each other record of every group that a rule of the seed ties."""
    selects = []
    with RULES.open(encoding="utf-8") as lines:
        for rule in csv.DictReader(lines):
            if rule["rule"] == "named_record":
                continue  # below
            columns = rule["identifiers"].split("+")
            known = " and ".join(f"{column} is not null" for column in columns)
            selects.append(
                f"""
                select unnest(list(record_key)) as right_record_key,
                    min(record_key) as left_record_key
                from records
                where party_kind = '{rule["party_kind"]}' and {known}
                group by {", ".join(columns)}
                having count(*) between 2 and {rule["group_limit"]}
                    and count(distinct identity_no_norm) <= 1
                """
            )
    selects.append(
        """
        select callers.record_key, named.record_key
        from records as callers
        inner join records as named
            on callers.named_record_key = named.record_key
            and callers.party_kind = named.party_kind
        where callers.name_norm = named.name_norm or callers.name_pinyin = named.name_pinyin
            or (callers.phone_norm = named.phone_norm and callers.name_norm is null)
        """
    )
    with duckdb.connect() as connection:
        connection.register("records", records)
        return connection.sql(
            "select distinct left_record_key, right_record_key from ("
            + " union all ".join(selects)
            + ") where left_record_key <> right_record_key"
        ).to_arrow_table()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.people", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    write(make(options.customers, options.seed), options.folder)


if __name__ == "__main__":
    main()
