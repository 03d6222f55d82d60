"""Files: a folder of CSV (plain or gzip), Parquet and Excel files.

In: file:///folder, and contracts that name a file in it. Out: a `Snapshot`. Touches: reads the
files; sorts in an in-memory DuckDB that spills to a private temporary folder.

A file has no cursor to seek by, so it is always read whole. A file that changes while the run reads
it stops the run. One reads: sorting, most of the work, uses the cores of this machine already.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import duckdb  # noqa: TID251  a connector may: what sorting raises
import pyarrow as pa

from extract import decimals
from extract.connectors import columnar, delimited, excel, sorting
from extract.connectors.base import Address, Measure
from extract.contract import ROW_POSITION, Column, Contract, FileSource
from extract.span import Span
from kehu.errors import SourceError

_FORMATS: Mapping[str, Any] = {"csv": delimited, "parquet": columnar, "xlsx": excel}
"""The module per format; each has `columns`, `measure` and `batches`."""
_UNREADABLE = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
    duckdb.Error,
    pa.ArrowException,
)


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
                columns = _FORMATS[source.format].columns(path, source)
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
        """Count and sum by a second reading, cell by cell with Python's decimals."""
        paths, source = self._files(contract)
        money = [contract.column(name) for name in contract.money]
        rows, sums = 0, {column.name: Decimal(0) for column in money}
        for path in paths:
            with self._reading(contract, path):
                one = _FORMATS[source.format].measure(path, source, money)
            rows += one.rows
            for name, value in one.sums.items():
                sums[name] = decimals.add(sums[name], value)
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
                yield from _FORMATS[source.format].batches(path, source, columns)

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
            source = contract.file
            told = {
                "csv": f"delimiter and encoding ({source.encoding if source else ''}); "
                f"a line above {delimited.BLOCK >> 20} MB is refused",
                "xlsx": "sheet and header row, and no password",
            }
            raise SourceError(
                f"The file of {contract.name} cannot be read ({reason}).",
                where=str(path),
                do="check that it is whole and readable, and has the contract's format, "
                + told.get(source.format if source else "", "and columns"),
            ) from None
