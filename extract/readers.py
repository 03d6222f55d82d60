"""Tables of one snapshot, read by several connections at the same time.

In: an open snapshot, how many shall read it, the tables. Out: nothing; each table was read once.
Touches: opens connections to the source, each read by a thread of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

from extract.connectors.base import Shareable, Snapshot

log = logging.getLogger(__name__)
T = TypeVar("T")


@contextmanager
def opened(snapshot: Snapshot, wanted: int) -> Iterator[list[Snapshot]]:
    """`snapshot` and further readers of it, as many as are wanted and the source gives.

    Call it before anything is read. The further ones are closed at the end of the block.
    """
    readers = [snapshot]
    with ExitStack() as stack:
        while len(readers) < wanted and isinstance(snapshot, Shareable):
            another = stack.enter_context(snapshot.another())
            if another is None:  # it has said why
                break
            readers.append(another)
        yield readers


def read_all(
    readers: Sequence[Snapshot], tables: Sequence[T], read: Callable[[Snapshot, T], None]
) -> None:
    """Call `read` once per table; every reader takes the next table as soon as it is free.

    The first reader works in the calling thread. When one fails the others are interrupted; what
    failed first is raised when none is at work any more.
    """
    work = _Work(readers, tables, read)
    threads = [
        threading.Thread(target=work.do, args=(reader,), name=f"reader-{number}", daemon=True)
        for number, reader in enumerate(readers[1:], 2)
    ]
    started: list[threading.Thread] = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        work.do(readers[0])
        _wait(started)
    except BaseException as error:  # such as the signal that ends a task, while it waits
        work.fail(error)
        _wait(started)
    if work.failures:
        raise work.failures[0]


def _wait(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


class _Work(Generic[T]):
    """Tables that wait, readers that are at work, and what failed, in the order of time."""

    def __init__(
        self, readers: Sequence[Snapshot], tables: Sequence[T], read: Callable[[Snapshot, T], None]
    ) -> None:
        self._waiting = iter(tables)
        self._at_work = list(readers)
        self._read = read
        self._lock = threading.Lock()
        self.failures: list[BaseException] = []

    def do(self, reader: Snapshot) -> None:
        """Read table after table until none waits or a reader has failed."""
        try:
            for table in self._left():
                self._read(reader, table)
        except BaseException as error:  # handed to the calling thread, which raises it
            self._leave(reader)
            self.fail(error)
        else:
            self._leave(reader)

    def fail(self, error: BaseException) -> None:
        """Note the error; interrupt whoever is still at work."""
        with self._lock:
            self.failures.append(error)
            for reader in self._at_work:
                if isinstance(reader, Shareable):
                    reader.interrupt()

    def _left(self) -> Iterator[T]:
        while True:
            with self._lock:
                table = None if self.failures else next(self._waiting, None)
            if table is None:
                return
            yield table

    def _leave(self, reader: Snapshot) -> None:
        """From here on nobody touches its connection from another thread."""
        with self._lock:
            self._at_work.remove(reader)
