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
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from extract.casting import Array, pc
from extract.contract import FileSource

_UTF8 = ("utf-8", "utf8", "utf-8-sig", "ascii")
_BYTE, _DIGIT, _DIGITS = 0x10FE00, 0x10FF00, 6
_MARKED = re.compile("([\U0010fe00-\U0010feff])([\U0010ff00-\U0010ff7f]{6})")
_BEGIN = "\U0010fe00".encode()[:2]
"""How every mark begins, in UTF-8."""
_read_so_far: ContextVar[int] = ContextVar("bytes of the file that the decoder has seen")


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Private characters for bytes that are no text: the byte, and where it lies in the file."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    first = _read_so_far.get() - len(error.object)
    marks = []
    for place in range(error.start, error.end):
        offset = first + place
        digits = (chr(_DIGIT + (offset >> 7 * n & 127)) for n in range(_DIGITS))
        marks.append(chr(_BYTE + error.object[place]) + "".join(digits))
    return "".join(marks), error.end


codecs.register_error("kehu-mark", _mark)


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
    """The bytes of a file as UTF-8. A byte that cannot be decoded becomes private characters.

    The parser reads valid text only; `take_marked` finds the marked cells, so that they are
    reported as what they are.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="kehu-mark")
        self._left = memoryview(b"")
        self._read = 0
        self.marked = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            raw = self._file.read(1 << 20)
            self._read += len(raw)
            _read_so_far.set(self._read)
            text = self._decoder.decode(raw, final=not raw).encode("utf-8", "surrogatepass")
            self.marked = self.marked or _BEGIN in text
            self._left = memoryview(text)
            if not raw:
                break
        size = min(len(self._left), len(buffer))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def take_marked(array: Array) -> tuple[Array, dict[int, str]]:
    """The array without its marked cells, and their texts by row."""
    suspects = pc.indices_nonzero(pc.fill_null(pc.match_substring(array, _BEGIN), False))
    texts = {row: array[row].as_py().decode() for row in suspects.to_pylist()}
    found = {row: unmarked(text) for row, text in texts.items() if _MARKED.search(text)}
    if not found:
        return array, found
    keep = np.ones(len(array), dtype=bool)
    keep[list(found)] = False
    return pc.if_else(pa.array(keep), array, pa.scalar(None, array.type)), found


def unmarked(text: str) -> str:
    """A text with marked bytes shown as \\xNN, and where in the file the first of them lies."""
    first = _MARKED.search(text)
    if first is None:
        return text
    offset = sum(ord(digit) - _DIGIT << 7 * n for n, digit in enumerate(first[2]))
    shown = _MARKED.sub(lambda found: f"\\x{ord(found[1]) - _BYTE:02x}", text)
    return f"{shown} (byte {offset} of the file)"
