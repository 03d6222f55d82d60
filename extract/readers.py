"""Tables of one snapshot, read by several connections at the same time.

In: an open snapshot, how many shall read it, the tables. Out: nothing; each table was read once.
Touches: opens connections to the source, each read by a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import TypeVar

from extract.connectors.base import Shareable, Snapshot

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

    When one fails the others are interrupted; what failed first is raised when none is at work any
    more. One reader alone works in the calling thread.
    """
    if len(readers) == 1:
        for table in tables:
            read(readers[0], table)
        return
    free: SimpleQueue[Snapshot] = SimpleQueue()
    for reader in readers:
        free.put(reader)

    def by_whoever_is_free(table: T) -> None:
        reader = free.get()
        try:
            read(reader, table)
        finally:
            free.put(reader)

    with ThreadPoolExecutor(len(readers), thread_name_prefix="reader") as pool:
        try:
            for done in as_completed([pool.submit(by_whoever_is_free, table) for table in tables]):
                done.result()
        except BaseException:  # also the signal that ends a task, while this thread waits
            pool.shutdown(wait=False, cancel_futures=True)
            for reader in readers:
                if isinstance(reader, Shareable):
                    reader.interrupt()
            raise
