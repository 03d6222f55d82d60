"""Files: a folder of CSV (plain or gzip) and Parquet files.

In: file:///folder, and contracts that name a file in it. Out: a `Snapshot`. Touches: reads the
files; sorts in an in-memory DuckDB that spills to a private temporary folder.

A file has no cursor to seek by, so it is always read whole. Every cell of a CSV is read as bytes:
the contract's encoding, date format and null values say what it means, and a line with a wrong
number of fields is landed as such. A file that changes while the run reads it stops the run.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb  # noqa: TID251  a connector may: what sorting raises
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from extract import casting
from extract.casting import Array, pc
from extract.connectors import sorting
from extract.connectors.base import Address, Measure
from extract.connectors.text import Utf8Stream, encoding_of, mended, open_bytes, open_text, unmarked
from extract.contract import ROW_POSITION, Column, Contract, FileSource
from extract.span import Span
from kehu.errors import SourceError

_UNREADABLE = (
    OSError,
    EOFError,
    LookupError,
    zlib.error,
    csv.Error,
    duckdb.Error,
    pa.ArrowException,
)
_BLOCK = 16 << 20
_ROWS = 32_768


@contextmanager
def open_source(address: Address, contracts: Sequence[Contract]) -> Iterator[FilesSnapshot]:
    """Note the state of every file; the block reads that state or fails."""
    folder = address.path
    if not folder.is_dir():
        raise SourceError(
            "The folder of source files does not exist.",
            where=f"{address.system}: {folder}",
            do=f"create it, or correct KEHU_{address.system.upper()}_URL (file:///<folder>)",
        )
    yield FilesSnapshot(folder.resolve(), f"{address.system}: {folder}", contracts)


class FilesSnapshot:
    """A `Snapshot` of one folder."""

    def __init__(self, folder: Path, where: str, contracts: Sequence[Contract]) -> None:
        self._folder = folder
        self.where = where
        self._state = {contract.name: self._state_of(contract) for contract in contracts}

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        paths, source = self._files(contract)
        found: dict[str, str] | None = None
        for path in paths:
            with self._reading(contract, path):
                columns = _columns(path, source)
            if found is not None and columns != found:
                raise SourceError(
                    f"The files of {contract.name} do not have the same columns.",
                    where=f"{paths[0]} and {path}",
                    do="deliver files of one form, or give each form a contract of its own",
                )
            found = columns
        if found and ROW_POSITION in contract.key:
            found[ROW_POSITION] = "int64"
        return found

    def holds(self, source_type: str, column: Column) -> bool:
        """Cells decide, except for kinds of which no cell could fit."""
        if source_type.startswith(("struct", "list", "map", "large_list", "fixed_size")):
            return False
        if source_type.startswith("timestamp") and "tz=" in source_type:
            return False
        if source_type.startswith(("time32", "time64", "duration", "interval")):
            return column.physical_type == "varchar"
        temporal = source_type.startswith(("timestamp", "date"))
        wants = column.physical_type in ("date", "timestamp", "varchar")
        number = source_type.startswith(("int", "uint", "float", "double", "half", "decimal"))
        return wants if temporal else not (number and column.physical_type in ("date", "timestamp"))

    def measure(self, contract: Contract, span: Span | None) -> Measure:
        """Count and sum by a second reader: Python's csv module, or the footer of the Parquet."""
        paths, source = self._files(contract)
        money = [contract.column(name) for name in contract.money]
        rows, sums = 0, {column.name: Decimal(0) for column in money}
        for path in paths:
            with self._reading(contract, path):
                one = (
                    _measure_parquet(path, money)
                    if source.format == "parquet"
                    else _measure_csv(path, source, money)
                )
            rows += one.rows
            for name, value in one.sums.items():
                sums[name] += value
        return Measure(rows, sums)

    def rows(
        self, contract: Contract, span: Span | None, columns: Sequence[Column]
    ) -> Generator[pa.RecordBatch, None, None]:
        batches = self._batches(contract, columns)
        if contract.key == (ROW_POSITION,):
            yield from batches
        else:
            with self._reading(contract, self._folder):
                yield from sorting.by_key(batches, columns, contract.key)
        if self._state_of(contract) != self._state[contract.name]:
            raise SourceError(
                f"The files of {contract.name} changed while they were read.",
                where=f"{self.where}, {contract.file.path if contract.file else ''}",
                do="deliver a file under another name, rename it when complete, then run again",
            )

    def _batches(self, contract: Contract, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
        paths, source = self._files(contract)
        for path in paths:
            with self._reading(contract, path):
                if source.format == "parquet":
                    yield from _parquet_batches(path, columns)
                else:
                    yield from _csv_batches(path, source, columns)

    def _files(self, contract: Contract) -> tuple[list[Path], FileSource]:
        """The files of a table by name; the contract's path may be a pattern."""
        source = contract.file
        if source is None:
            raise SourceError(
                f"The contract of {contract.name} names no file.",
                where=str(contract.path),
                do="name it in servers[].path, below the source folder",
            )
        paths = sorted(path.resolve() for path in self._folder.glob(source.path))
        outside = [path for path in paths if not path.is_relative_to(self._folder)]
        if outside:
            raise SourceError(
                f"A file of {contract.name} lies outside the source folder.",
                where=str(outside[0]),
                do="put the file itself into the folder, not a link to it",
            )
        if len(paths) > 1 and ROW_POSITION in contract.key:
            raise SourceError(
                f"Several files match {contract.name}, whose key is the position in one file.",
                where=", ".join(map(str, paths)),
                do="keep one file, or give the table a key of its own",
            )
        return paths, source

    def _state_of(self, contract: Contract) -> list[tuple[str, int, int, int]]:
        paths, _ = self._files(contract)
        stats = [(path, path.stat()) for path in paths]
        return [(str(path), s.st_ino, s.st_size, s.st_mtime_ns) for path, s in stats]

    @contextmanager
    def _reading(self, contract: Contract, path: Path) -> Iterator[None]:
        """Turn what readers raise into an error that names the file and holds no cell."""
        try:
            yield
        except _UNREADABLE as error:
            reason = type(error).__name__
            if isinstance(error, OSError) and error.strerror:
                reason = error.strerror
            encoding = contract.file.encoding if contract.file else ""
            raise SourceError(
                f"The file of {contract.name} cannot be read ({reason}).",
                where=str(path),
                do="check that it is whole and readable, and has the contract's format, delimiter "
                f"and encoding ({encoding}); a line above {_BLOCK >> 20} MB is refused",
            ) from None


def _columns(path: Path, source: FileSource) -> dict[str, str]:
    if source.format == "parquet":
        return {field.name: str(field.type) for field in pq.read_schema(path)}
    return dict.fromkeys(_header(path, source), "text")


def _header(path: Path, source: FileSource) -> list[str]:
    with open_text(path, source) as file:
        return next(csv.reader(file, delimiter=source.delimiter), [])


def _measure_parquet(path: Path, money: Sequence[Column]) -> Measure:
    with pq.ParquetFile(path) as file:
        sums = {column.name: Decimal(0) for column in money}
        exact = {column.name: casting.exact(column) for column in money}
        names = [column.physical_name for column in money]
        for batch in file.iter_batches(batch_size=_ROWS, columns=names) if money else ():
            for column in money:
                array = casting.plain(batch.column(column.physical_name))
                if not pa.types.is_binary(array.type):
                    array = array.cast(pa.string())
                cells = pc.value_counts(array)
                for text, times in zip(*map(pa.Array.to_pylist, cells.flatten()), strict=True):
                    sums[column.name] += (exact[column.name](text) or 0) * times
        return Measure(file.metadata.num_rows, sums)


def _measure_csv(path: Path, source: FileSource, money: Sequence[Column]) -> Measure:
    header = _header(path, source)
    places = [
        (header.index(column.physical_name), column.name, casting.exact(column)) for column in money
    ]
    sums = {column.name: Decimal(0) for column in money}
    count = 0
    with open_text(path, source) as file:
        lines = csv.reader(file, delimiter=source.delimiter)
        next(lines, None)
        for line in lines:
            if not line:
                continue
            count += 1
            if len(line) == len(header):
                for place, name, exact in places:
                    # An empty field is no cell; a quoted empty one cannot be a number either.
                    sums[name] += exact(line[place]) or 0
    return Measure(count, sums)


def _csv_batches(
    path: Path, source: FileSource, columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    header = _header(path, source)
    wanted = [column for column in columns if column.name != ROW_POSITION]
    places = {column.name: header.index(column.physical_name) for column in wanted}
    broken: list[tuple[int, str]] = []

    def note(line: Any) -> Literal["skip"]:
        # The header is line 1.
        broken.append((line.number - 1, unmarked(line.text)))
        return "skip"

    stream: Any = Utf8Stream(open_bytes(path), encoding_of(source))
    with stream:
        reader = pa_csv.open_csv(
            stream,
            # Positions as names: a header may hold a name twice.
            read_options=pa_csv.ReadOptions(
                column_names=[str(place) for place in range(len(header))],
                skip_rows=1,
                block_size=_BLOCK,
                use_threads=False,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=source.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=[str(place) for place in places.values()],
                column_types={str(place): pa.binary() for place in places.values()},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        position = 1
        for batch in reader:
            position, numbers = _positions(position, batch.num_rows, {n for n, _ in broken})
            arrays = [
                numbers if c.name == ROW_POSITION else batch.column(str(places[c.name]))
                for c in columns
            ]
            if stream.marked:
                arrays = [a if pa.types.is_integer(a.type) else mended(a) for a in arrays]
            yield casting.cast(arrays, columns)
    if broken:
        yield casting.bad_lines(broken, columns, ROW_POSITION)


def _positions(first: int, rows: int, broken: set[int]) -> tuple[int, Array]:
    """Positions in the file of the next `rows` good rows, and where to go on."""
    numbers: list[int] = []
    while len(numbers) < rows:
        if first not in broken:
            numbers.append(first)
        first += 1
    return first, pa.array(numbers, pa.int64())


def _parquet_batches(path: Path, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    names = [c.physical_name for c in columns if c.name != ROW_POSITION]
    position = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS, columns=names):
            numbers = pa.array(range(position, position + batch.num_rows), pa.int64())
            position += batch.num_rows
            yield casting.cast(
                [
                    numbers if c.name == ROW_POSITION else batch.column(c.physical_name)
                    for c in columns
                ],
                columns,
            )
