"""The identity layers of the dbt project alone, fed with records day by day.

In: records, pairs of the linkage and decisions, each with its day. Out: a scratch project whose
`int_source_records` are those of a day, and what it made of them. What a build has to remember is
given to the next one, as `warehouse.identity_memory` does through landing.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

FIRST = date(2026, 1, 31)
# fmt: off
COLUMNS = (
    "record_key", "source_system", "source_record_id", "record_kind", "party_kind", "full_name",
    "name_norm", "name_pinyin", "sex", "birth_date", "identity_no_norm", "identity_no_hash",
    "phone", "phone_norm", "phone_hash", "email", "email_norm", "email_hash", "address",
    "address_norm", "region", "updated_at", "named_record_key", "first_seen_date", "age_key",
)
# fmt: on
_TYPES = {"birth_date": "date", "first_seen_date": "date", "updated_at": "timestamp"}
_SEED = ("left_record_key", "right_record_key", "decision", "decided_on", "reason")
_LEFT_OUT = ("int_records__", "int_mentioned", "int_source", "int_values", "_")
"""Models of the layer records that read what is not here."""
_MEMORY = {
    "assignments": "record_key varchar, valid_from date, customer_id varchar, match_rule varchar,"
    " match_probability decimal(5,4)",
    "redirects": "customer_id varchar, valid_from date, redirected_to varchar",
    "changes": "change_key varchar, changed_on date, change_kind varchar,"
    " customer_id_before varchar, customer_id_after varchar, rule varchar, records_moved bigint,"
    " records_before bigint",
}


def id_after(record_key: str) -> str:
    """The customer id that is named after a record."""
    return hashlib.md5(record_key.encode(), usedforsecurity=False).hexdigest()


@dataclass
class IdentityDays:
    """A scratch project of the layers records and identity."""

    warehouse: ScratchWarehouse

    @classmethod
    def make(cls, folder: Path) -> IdentityDays:
        stand_ins = {"int_source_records": "select * from facts.source_records"}
        stand_ins["stg_steward__identity_decisions"] = "select * from facts.words"
        stand_ins |= {f"stg_identity__{name}": f"select * from facts.{name}" for name in _MEMORY}
        warehouse = ScratchWarehouse.make(folder, ["records", "identity", "statistics"], stand_ins)
        shutil.copytree(PROJECT / "seeds" / "identity", folder / "seeds" / "identity")
        for path in (folder / "models" / "statistics").iterdir():
            if path.name != "_analytics__sources.yml":
                path.unlink()
        for path in (folder / "models" / "records").iterdir():
            if path.name.startswith(
                ("int_records__", "int_mentioned", "int_source", "int_values", "_")
            ):
                path.unlink()
        for name in ("one_identity_number_per_customer", "parted_records_are_two_customers",
                     "persons_and_organisations_never_merge"):  # fmt: skip
            shutil.copy(PROJECT / "tests" / f"{name}.sql", folder / "tests")
        cells = ", ".join(f"{name} {_TYPES.get(name, 'varchar')}" for name in COLUMNS)
        warehouse.execute(
            "create schema facts",
            f"create table facts.source_records ({cells})",
            "create table facts.words (left_source_system varchar, left_source_record_id varchar,"
            " right_source_system varchar, right_source_record_id varchar, decision varchar,"
            " decided_at timestamp)",
            *(f"create table facts.{name} ({columns})" for name, columns in _MEMORY.items()),
        )
        return cls(warehouse)

    def build(
        self,
        day: int,
        records: Iterable[Mapping[str, Any]],
        linkage: Iterable[tuple[str, str, float]] = (),
        decisions: Sequence[Mapping[str, Any]] | None = None,
        *,
        tests: bool = True,
    ) -> None:
        """Build the identity of a day, 1 being the first."""
        rows = [_row(number, record) for number, record in enumerate(records)]
        pairs = [(left, right, p, 5.0, "test") for left, right, p in linkage]
        self.warehouse.execute(
            "delete from facts.source_records",
            *_inserts("facts.source_records", rows),
            "create schema if not exists analytics",
            "create or replace table analytics.linkage_edges (left_record_key varchar,"
            " right_record_key varchar, match_probability double, match_weight double,"
            " model_version varchar)",
            *_inserts("analytics.linkage_edges", pairs),
        )
        if decisions is not None:
            self._decide(decisions)
        kinds = () if tests else ("--exclude-resource-type", "test")
        self.warehouse.build(*kinds, as_of_dates=[on(day).isoformat()])

    def _decide(self, decisions: Sequence[Mapping[str, Any]]) -> None:
        """Words of stewards, of which the latest about a pair stands; others are in the seed."""
        words = {}
        path = self.warehouse.folder / "seeds" / "identity" / "identity_decisions.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_SEED)
            for word in decisions:
                left, right = sorted(word["pair"])
                if word.get("steward"):
                    cells = (*left.split("|"), *right.split("|"), word["decision"], on(word["day"]))
                    words[left, right] = cells
                else:
                    writer.writerow([left, right, word["decision"], on(word["day"]), "seen papers"])
        rows = list(words.values())
        self.warehouse.execute("delete from facts.words", *_inserts("facts.words", rows))

    def remember(self) -> None:
        """Give the next build what this one has to remember."""
        self.warehouse.execute(
            *(
                f"insert into facts.{name} by name select * from identity.int_new_{name}"
                for name in _MEMORY
            )
        )

    def forget(self) -> None:
        """As if there had been no build before."""
        self.warehouse.execute(*(f"delete from facts.{name}" for name in _MEMORY))

    def customers(self) -> dict[str, str]:
        """Record to customer."""
        return dict(
            self.warehouse.query(
                "select record_key, customer_id from identity.int_customer_records"
            )
        )

    def clusters(self) -> set[frozenset[str]]:
        """The records of each customer."""
        groups: dict[str, set[str]] = {}
        for record, customer in self.customers().items():
            groups.setdefault(customer, set()).add(record)
        return {frozenset(group) for group in groups.values()}


def on(day: int) -> date:
    """The as-of date of a day, 1 being the first."""
    return FIRST + timedelta(days=day - 1)


def _row(number: int, record: Mapping[str, Any]) -> list[Any]:
    system, _, own = record["key"].partition("|")
    seen = date(2020, 1, 1) + timedelta(days=record.get("order", number))
    cells = {
        "record_key": record["key"],
        "source_system": system,
        "source_record_id": own,
        "record_kind": "record",
        "party_kind": record.get("kind", "person"),
        "full_name": record.get("name"),
        "name_norm": record.get("name"),
        "name_pinyin": record.get("name"),
        "identity_no_norm": record.get("identity_no"),
        "phone_norm": record.get("phone"),
        "email_norm": record.get("email"),
        "address": record.get("address"),
        "address_norm": record.get("address"),
        "first_seen_date": seen,
        "age_key": f"{seen}|{record['key']}",
    }
    return [cells.get(name) for name in COLUMNS]


def _inserts(table: str, rows: Sequence[Sequence[Any]]) -> list[str]:
    if not rows:
        return []
    cells = ", ".join("(" + ", ".join(map(_literal, row)) + ")" for row in rows)
    return [f"insert into {table} values {cells}"]


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
