"""What killed tasks leave in landing, found and removed.

In: the landing folder of a system. Out: the paths removed. Touches: hidden files and folders of
processes that have ended, parts of batches in a bucket that were never shown, old copies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

from extract import bucket
from extract.disk import is_left_over
from extract.landing import MANIFEST

LONGEST = timedelta(days=1)
"""No task takes so long: what another machine has not finished by then was left behind."""
COPIES_KEPT = timedelta(days=3)
"""How long a machine keeps a copy that it did not write to; it can be fetched again."""


def sweep(folder: Path) -> list[Path]:
    """Remove what was left below `folder`, the landing of one system; returns the paths."""
    left = [*_hidden(folder, "*/dt=*/.batch=*"), *_hidden(folder, "*/dt=*/batch=*/.*")]
    if store := bucket.behind(folder.parent):
        left += _old_copies(folder)
        left += [folder.parent / part for part in _remove_parts(store, folder.name)]
    for path in left:
        remove(path)
    return left


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _hidden(folder: Path, pattern: str) -> Iterator[Path]:
    for path in folder.glob(pattern):
        if is_left_over(path) or _age(path) > LONGEST:
            yield path


def _old_copies(folder: Path) -> Iterator[Path]:
    for path in folder.glob("*/dt=*/batch=*"):
        if _age(path) > COPIES_KEPT:
            yield path


def _age(path: Path) -> timedelta:
    try:
        return datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # its writer has just shown it
        return timedelta(0)


def _remove_parts(store: bucket.Bucket, system: str) -> set[PurePath]:
    """Files of batches without manifest whose extraction began too long ago to be running."""
    files = store.files(system)
    shown = {each.parent for each in files if each.name == MANIFEST}
    newest = f"batch={datetime.now(UTC) - LONGEST:%Y%m%dT%H%M%S%fZ}"
    parts = {each for each in files if each.parent not in shown and each.parent.name < newest}
    for part in parts:
        store.remove(part)
    return parts
