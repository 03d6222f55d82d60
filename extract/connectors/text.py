"""The bytes of a file as text in its declared encoding; what is no text there is not lost.

In: a file, plain or gzip. Out: a stream of UTF-8 for Arrow's parser, a text stream for Python's.
Touches: reads the file.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import sys
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from extract.casting import Array
from extract.contract import FileSource

_UTF8 = ("utf-8", "utf8", "utf-8-sig", "ascii")
_MARK = 0x10FF80 - 0xDC80
"""From the lone surrogate of an undecodable byte to its private character."""
_MARKED = re.compile("[\U0010ff80-\U0010ffff]")


def open_bytes(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def open_text(path: Path, source: FileSource) -> io.TextIOWrapper:
    csv.field_size_limit(sys.maxsize)
    return io.TextIOWrapper(
        open_bytes(path), encoding_of(source), errors="surrogateescape", newline=""
    )


def encoding_of(source: FileSource) -> str:
    """The contract's encoding; for UTF-8 with or without a byte order mark."""
    return "utf-8-sig" if source.encoding.lower() in _UTF8 else source.encoding


class Utf8Stream(io.RawIOBase):
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


def mended(array: Array) -> Array:
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


def unmarked(text: str) -> str:
    """A text with marked bytes shown as \\xNN."""
    return _MARKED.sub(lambda m: f"\\x{ord(m[0]) - _MARK - 0xDC00:02x}", text)
