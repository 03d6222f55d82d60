"""Files: a folder of CSV (plain or gzip) and Parquet files.

In: file:///folder, and contracts that name a file in it. Out: a `Snapshot`. Touches: reads the
files; sorts in an in-memory DuckDB that spills to a private temporary folder.

A file has no cursor to seek by, so it is always read whole. Every cell of a CSV is read as bytes:
the contract's encoding, date format and null values say what it means, and a line with a wrong
number of fields is landed as such. A file that changes while the run reads it stops the run.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Literal

import duckdb  # noqa: TID251  a connector may: sorting what files hold in any order
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from extract import casting
from extract.casting import Array, pc
from extract.connectors.base import Address, Measure, quoted
from extract.contract import ROW_POSITION, Column, Contract, FileSource
from kehu.errors import SourceError

_UNREADABLE = (OSError, EOFError, LookupError, csv.Error, duckdb.Error, pa.ArrowException)
_BLOCK = 16 << 20
_ROWS = 32_768
_UTF8 = ("utf-8", "utf8", "utf-8-sig", "ascii")
_MARK = 0x10FF80 - 0xDC80
"""From the lone surrogate of an undecodable byte to its private character."""
_MARKED = re.compile("[\U0010ff80-\U0010ffff]")


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
        self._state = {contract.name: self._stat(contract) for contract in contracts}

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        path, source = self._file(contract)
        if not path.is_file():
            return None
        with self._reading(contract):
            if source.format == "parquet":
                fields = pq.read_schema(path)
                found = {field.name: str(field.type) for field in fields}
            else:
                found = dict.fromkeys(self._header(path, source), "text")
        if ROW_POSITION in contract.key:
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

    def measure(self, contract: Contract, since: datetime | None) -> Measure:
        """Count and sum by a second reader: Python's csv module, or the footer of the Parquet."""
        path, source = self._file(contract)
        money = [contract.column(name) for name in contract.money]
        with self._reading(contract):
            if source.format == "parquet":
                return self._measure_parquet(path, money)
            return self._measure_csv(path, source, money)

    def rows(
        self, contract: Contract, since: datetime | None, columns: Sequence[Column]
    ) -> Iterator[pa.RecordBatch]:
        path, source = self._file(contract)
        with self._reading(contract):
            if source.format == "parquet":
                batches = _parquet_batches(path, columns)
            else:
                batches = _csv_batches(path, source, self._header(path, source), columns)
            if contract.key == (ROW_POSITION,):
                yield from batches
            else:
                yield from _sorted(batches, columns, contract.key)
            if self._stat(contract) != self._state[contract.name]:
                raise SourceError(
                    f"The file of {contract.name} changed while it was read.",
                    where=str(path),
                    do="deliver a file under another name, rename it when complete, then run again",
                )

    @staticmethod
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

    def _measure_csv(self, path: Path, source: FileSource, money: Sequence[Column]) -> Measure:
        header = self._header(path, source)
        places = [
            (header.index(column.physical_name), column.name, casting.exact(column))
            for column in money
        ]
        sums = {column.name: Decimal(0) for column in money}
        count = 0
        with _text(path, source) as file:
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

    def _header(self, path: Path, source: FileSource) -> list[str]:
        with _text(path, source) as file:
            return next(csv.reader(file, delimiter=source.delimiter), [])

    def _file(self, contract: Contract) -> tuple[Path, FileSource]:
        source = contract.file
        path = (self._folder / source.path).resolve() if source else self._folder
        if source is None or not path.is_relative_to(self._folder):
            raise SourceError(
                f"The contract of {contract.name} names no file inside the source folder.",
                where=str(contract.path),
                do="give servers[].path as a path below the folder",
            )
        if source.format not in ("csv", "parquet"):
            raise SourceError(
                f"Files of the format {source.format!r} cannot be read.",
                where=str(contract.path),
                do="use csv or parquet in servers[].format",
            )
        if "*" in source.path:
            # A set whose file carries a name of its own: the folder holds exactly one that fits.
            found = sorted(self._folder.glob(source.path))
            if len(found) > 1:
                raise SourceError(
                    f"{len(found)} files fit {source.path} of {contract.name}; one is expected.",
                    where=f"{self.where}; {contract.path}",
                    do="leave one file there, or name it in servers[].path",
                )
            path = found[0] if found else path
        return path, source

    def _stat(self, contract: Contract) -> tuple[int, ...] | None:
        path, _ = self._file(contract)
        if not path.exists():
            return None
        stat = path.stat()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    @contextmanager
    def _reading(self, contract: Contract) -> Iterator[None]:
        """Turn what readers raise into an error that names the file and holds no cell."""
        path, source = self._file(contract)
        try:
            yield
        except _UNREADABLE as error:
            reason = f"{type(error).__name__}"
            if isinstance(error, OSError) and error.strerror:
                reason = error.strerror
            raise SourceError(
                f"The file of {contract.name} cannot be read ({reason}).",
                where=str(path),
                do=f"check that it is a whole {source.format} file, readable, with the contract's "
                f"delimiter and encoding ({source.encoding}); a quote that never closes and a line "
                f"above {_BLOCK >> 20} MB are refused",
            ) from None


def _bytes(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _text(path: Path, source: FileSource) -> io.TextIOWrapper:
    csv.field_size_limit(sys.maxsize)
    return io.TextIOWrapper(_bytes(path), _encoding(source), errors="surrogateescape", newline="")


def _encoding(source: FileSource) -> str:
    """The contract's encoding; for UTF-8 with or without a byte order mark."""
    return "utf-8-sig" if source.encoding.lower() in _UTF8 else source.encoding


class _Utf8(io.RawIOBase):
    """The bytes of a file as UTF-8. A byte that cannot be decoded becomes a private character.

    The parser reads valid text only; `mended` makes the marked cells invalid again, so that they
    are reported as what they are.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
        self._left = memoryview(b"")
        self.marked = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            raw = self._file.read(1 << 20)
            text = self._decoder.decode(raw, final=not raw)
            try:
                self._left = memoryview(text.encode())
            except UnicodeEncodeError:
                self.marked = True
                text = re.sub("[\udc80-\udcff]", lambda m: chr(ord(m[0]) + _MARK), text)
                self._left = memoryview(text.encode())
            if not raw:
                break
        size = min(len(self._left), len(buffer))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def _mended(array: Array) -> Array:
    """The cells with marked bytes as invalid text again."""
    cells = array.to_pylist()
    marked = [cell is not None and _MARKED.search(cell.decode()) is not None for cell in cells]
    if not any(marked):
        return array
    return pa.array(
        [
            _MARKED.sub(lambda m: chr(ord(m[0]) - _MARK), cell.decode()).encode(
                "utf-8", "surrogatepass"
            )
            if is_marked
            else cell
            for cell, is_marked in zip(cells, marked, strict=True)
        ],
        pa.binary(),
    )


def _csv_batches(
    path: Path, source: FileSource, header: Sequence[str], columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    wanted = [column for column in columns if column.name != ROW_POSITION]
    places = {column.name: header.index(column.physical_name) for column in wanted}
    broken: list[tuple[int, str]] = []

    def note(line: Any) -> Literal["skip"]:
        # The header is line 1; a marked byte is shown as \\xNN.
        text = _MARKED.sub(lambda m: f"\\x{ord(m[0]) - _MARK - 0xDC00:02x}", line.text)
        broken.append((line.number - 1, text))
        return "skip"

    stream: Any = _Utf8(_bytes(path), _encoding(source))
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
                arrays = [a if pa.types.is_integer(a.type) else _mended(a) for a in arrays]
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


def _sorted(
    batches: Iterator[pa.RecordBatch], columns: Sequence[Column], key: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """The rows by key, in byte order; larger than memory is fine."""
    source = pa.RecordBatchReader.from_batches(casting.schema(columns), batches)
    order = ", ".join(f"{quoted(name)} NULLS LAST" for name in key)
    with (
        tempfile.TemporaryDirectory(prefix="kehu-sort-") as spill,
        duckdb.connect(config={"memory_limit": "1GB", "temp_directory": spill}) as connection,
    ):
        connection.register("source", source)
        result = connection.execute(f"SELECT * FROM source ORDER BY {order}")
        yield from result.to_arrow_reader(_ROWS)
