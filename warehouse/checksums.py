"""The warehouse's side of a comparison with a source: checksums of the current rows.

In: a connection, a contract, the keys of rows that the source changed since. Out: a
`segments.Divided`. Touches a temporary table; reads the raw table and quarantine.

Current rows that the source had when it was read last: deleted ones are left out, and so are those
that changed in the source since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from extract import landing
from extract.contract import Column, Contract
from extract.segments import HASH_DIGITS, Checksum, Key, Rows, Segment
from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import schemas
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted


class WarehouseSide:
    """Current rows of a raw table, without those in `newer`."""

    def __init__(self, con: Connection, contract: Contract, newer: Sequence[Key]) -> None:
        there = schemas.held(con).get(contract.raw_table, {})
        if not there or not schemas.holds_payload(contract, there):
            raise WarehouseError(
                "The working file does not hold the rows of the table.",
                where=f"raw.{contract.raw_table}",
                do="load the table first; with KEHU_ENGINE=spark its rows are in the lake",
            )
        self._con, self._contract = con, contract
        self._first = contract.column(contract.key[0])
        self._k = quoted(self._first.name)
        keys = [_text(contract.column(name)) for name in contract.key]
        self._keys = ", ".join(keys)
        con.execute(f"create or replace temp table newer ({_columns(contract)})")
        if newer:
            con.executemany(f"insert into temp.newer values ({_marks(contract)})", newer)
        same = " and ".join(f"newer.k{at} = {key}" for at, key in enumerate(keys))
        con.execute(
            "create or replace temp view compared as"
            f" select * from raw.{quoted(contract.raw_table)} where _is_current"
            f" and not _is_deleted and not exists (select 1 from temp.newer where {same})"
        )

    def cuts(self, within: Segment, parts: int) -> list[str]:
        where = self._where(within)
        found = self._con.execute(
            f"with ranked as (select {self._k} as k,"
            f" row_number() over (order by {self._k}) as place, count(*) over () as rows"
            f" from temp.compared{where})"
            f" select distinct k, cast(k as varchar) from ranked"
            f" where place > 1 and (place - 1) % greatest(rows // {parts}, 1) = 0"
            " and k > (select min(k) from ranked) order by k"
        ).fetchall()
        return [text for _, text in found]

    def checksums(self, within: Segment, cuts: Sequence[str]) -> list[Checksum]:
        kind = self._first.physical_type
        self._con.execute(f"create or replace temp table cuts (cut {kind}, part integer)")
        if cuts:
            self._con.executemany(
                "insert into temp.cuts values (?, ?)", [(cut, at) for at, cut in enumerate(cuts, 1)]
            )
        cells = ", ".join(f"coalesce({_text(c)}, chr(30))" for c in self._contract.columns)
        digits = f"substr(md5(concat_ws(chr(31), {cells})), 1, {HASH_DIGITS})"
        found = self._con.execute(
            "select coalesce(part, 0) as place, count(*),"
            f" sum(cast(concat('0x', {digits}) as bigint)) from"
            f" (select * from temp.compared{self._where(within)}) as compared"
            f" asof left join temp.cuts on {self._k} >= cuts.cut group by place"
        ).fetchall()
        by_part = {int(at): Checksum(int(rows), int(total)) for at, rows, total in found}
        return [by_part.get(at, Checksum()) for at in range(len(cuts) + 1)]

    def rows(self, within: Segment) -> Rows:
        cells = ", ".join(f"md5(coalesce({_text(c)}, chr(30)))" for c in self._contract.columns)
        width = len(self._contract.key)
        found = self._con.execute(
            f"select {self._keys}, {cells} from temp.compared{self._where(within)}"
        ).fetchall()
        return {tuple(row[:width]): tuple(row[width:]) for row in found}

    def waiting(self, settings: Settings, keys: Iterable[Key]) -> set[Key]:
        """Those of `keys` that a batch of the table holds in quarantine."""
        asked = list(keys)
        batches = landing.batches(settings.landing, self._contract.system, self._contract.table)
        files = [str(batch.quarantine) for batch in batches if batch.quarantine.is_file()]
        if not (asked and files):
            return set()
        self._con.execute(f"create or replace temp table asked ({_columns(self._contract)})")
        self._con.executemany(f"insert into temp.asked values ({_marks(self._contract)})", asked)
        listed = ", ".join(map(literal, files))
        names = ", ".join(f"k{at}" for at in range(len(self._contract.key)))
        held = self._con.execute(
            f"select distinct {names} from temp.asked semi join"
            f" (select {self._keys} from read_parquet([{listed}], union_by_name = true))"
            f" as held({names}) using ({names})"
        ).fetchall()
        return {tuple(row) for row in held}

    def _where(self, within: Segment) -> str:
        kind, conditions = self._first.physical_type, []
        if within.low is not None:
            conditions.append(f"{self._k} >= cast({literal(within.low)} as {kind})")
        if within.high is not None:
            conditions.append(f"{self._k} < cast({literal(within.high)} as {kind})")
        return f" where {' and '.join(conditions)}" if conditions else ""


def loaded_until(con: Connection, contract: Contract) -> datetime | None:
    """The watermark of a table; None for one without cursor."""
    found = con.execute(
        'select watermark from ops.watermarks where system = ? and "table" = ?',
        [contract.system, contract.table],
    ).fetchone()
    return found[0] if found else None


def _text(column: Column) -> str:
    cell = quoted(column.name)
    if column.physical_type == "boolean":
        cell = f"cast({cell} as integer)"
    return f"cast({cell} as varchar)"


def _columns(contract: Contract) -> str:
    return ", ".join(f"k{at} varchar" for at in range(len(contract.key)))


def _marks(contract: Contract) -> str:
    return ", ".join("?" for _ in contract.key)
