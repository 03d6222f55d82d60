"""HTTP APIs that answer JSON: tables read page by page.

In: https://<secret>@host/base and contracts whose servers block is of type `api`. Out: a
`Snapshot`. Touches: sends GET requests; keeps the pages in a private temporary
folder meanwhile.

An API has no snapshot. All tables are fetched first, right after each other, and each is checked
as far as the API lets us: a total that is named must stay the same and be reached exactly, and
the first page's ETag must be the same at the end. Otherwise the run stops and is tried again.
One reads, so that an API gets no more requests at a time than it was made for.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from extract import casting, decimals
from extract.connectors import sorting
from extract.connectors.base import Address, Measure
from extract.connectors.pages import Api, NoTable, Number, at, parse
from extract.contract import ApiSource, Column, Contract
from extract.span import Span
from kehu.errors import SourceError

_ROWS = 8_192


@contextmanager
def open_source(address: Address, contracts: Sequence[Contract]) -> Iterator[ApiSnapshot]:
    """Fetch every table; the block reads what was fetched."""
    api = Api(address)
    try:
        with tempfile.TemporaryDirectory(prefix="kehu-api-") as folder:
            fetched = {
                contract.name: _fetch(api, contract, Path(folder) / contract.table)
                for contract in contracts
            }
            yield ApiSnapshot(address.where, fetched)
    finally:
        api.close()


@dataclass
class _Fetched:
    """The pages of a table as they came, one file each. `fields`: the names that records have."""

    folder: Path
    source: ApiSource
    rows: int = 0
    fields: set[str] = field(default_factory=set)
    totals: set[str] = field(default_factory=set)

    def records(self) -> Iterator[Any]:
        for path in sorted(self.folder.iterdir()):
            yield from at(parse(path.read_bytes()), self.source.records)


def _fetch(api: Api, contract: Contract, folder: Path) -> _Fetched | None:
    source = contract.api
    if source is None:
        raise SourceError(
            f"The contract of {contract.name} names no API.",
            where=str(contract.path),
            do="name it in servers (type api)",
        )
    folder.mkdir()
    fetched = _Fetched(folder, source)
    etag, pages = None, 0
    try:
        for page in api.pages(source):
            pages, etag = page.number, etag if pages else page.etag
            (folder / f"{page.number:09d}.json").write_bytes(page.body)
            for record in _records(api, contract, source, page):
                fetched.rows += 1
                if isinstance(record, dict):
                    fetched.fields.update(record)
            if source.total and (total := at(page.content, source.total)) is not None:
                fetched.totals.add(str(total))
    except NoTable:
        return None
    if fetched.totals - {str(fetched.rows)}:
        named = " and ".join(sorted(fetched.totals))
        raise _moved(api, contract, f"{fetched.rows} records came, the source said {named}")
    if etag and pages > 1 and api.etag(source) != etag:
        raise _moved(api, contract, "the first page is another one now")
    return fetched


def _records(api: Api, contract: Contract, source: ApiSource, page: Any) -> list[Any]:
    records = at(page.content, source.records)
    if not isinstance(records, list):
        raise SourceError(
            f"Page {page.number} of {contract.name} has no list of records"
            + (f" at {source.records!r}." if source.records else "."),
            where=f"{api.where}, table {contract.table}",
            do="correct `records` in the contract's servers block, or the source",
        )
    return records


def _moved(api: Api, contract: Contract, what: str) -> SourceError:
    return SourceError(
        f"{contract.name} changed while it was read: {what}.",
        where=f"{api.where}, table {contract.table}",
        do="run the task again, at a quiet time; when it repeats, ask the source's owner",
    )


class ApiSnapshot:
    """What was fetched of one API."""

    def __init__(self, where: str, fetched: Mapping[str, _Fetched | None]) -> None:
        self.where = where
        self._fetched = fetched

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        """The fields that any record has; those of the contract when there is no record at all."""
        fetched = self._fetched[contract.name]
        if fetched is None:
            return None
        wanted = [column.physical_name for column in contract.columns]
        if not fetched.fields:
            return dict.fromkeys(wanted, "JSON")
        nested = {name for name in wanted if name.partition(".")[0] in fetched.fields}
        roots = {name.partition(".")[0] for name in nested if "." in name}
        return dict.fromkeys(sorted((fetched.fields - roots) | nested), "JSON")

    def holds(self, source_type: str, column: Column) -> bool:
        """Cells decide: JSON has no columns."""
        return True

    def measure(self, contract: Contract, span: Span | None) -> Measure:
        """Count and sum the records as they came, by Python's own decimals."""
        money = [contract.column(name) for name in contract.money]
        exact = {column.name: casting.exact(column) for column in money}
        sums = {column.name: Decimal(0) for column in money}
        rows = 0
        for record in self._kept(contract):
            rows += 1
            for column in money:
                value = exact[column.name](_cell(record, column)) or Decimal(0)
                sums[column.name] = decimals.add(sums[column.name], value)
        return Measure(rows, sums)

    def rows(
        self, contract: Contract, span: Span | None, columns: Sequence[Column]
    ) -> Generator[pa.RecordBatch, None, None]:
        yield from sorting.by_key(self._batches(contract, columns), columns, contract.key)

    def _batches(self, contract: Contract, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
        waiting: list[Any] = []
        odd: list[tuple[int, str]] = []
        for number, record in enumerate(self._kept(contract), 1):
            if not isinstance(record, dict):
                odd.append((number, _json(record)))
                continue
            waiting.append(record)
            if len(waiting) == _ROWS:
                yield _batch(waiting, columns)
                waiting = []
        if waiting:
            yield _batch(waiting, columns)
        if odd:
            yield casting.bad_lines(odd, columns, "")

    def _kept(self, contract: Contract) -> Iterator[Any]:
        fetched = self._fetched[contract.name]
        return iter(()) if fetched is None else fetched.records()


def _batch(records: Sequence[Any], columns: Sequence[Column]) -> pa.RecordBatch:
    arrays = [
        pa.array([_cell(record, column) for record in records], pa.binary()) for column in columns
    ]
    return casting.cast(arrays, columns)


def _cell(record: Any, column: Column) -> bytes | None:
    """A cell as text. A number is its own digits, an object or a list its JSON."""
    if not isinstance(record, dict):
        return None
    name = column.physical_name
    value = record[name] if name in record else at(record, name)
    if value is None:
        return None
    # Half a surrogate pair is no text: the cell is reported as bad.
    return (value if isinstance(value, str) else _json(value)).encode("utf-8", "surrogatepass")


def _json(value: Any) -> str:
    """JSON with every number by the digits with which it came."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(n, ensure_ascii=False)}: {_json(v)}" for n, v in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
