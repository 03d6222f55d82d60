"""Files of the restricted zone: private, and whole or not there.

In: paths. Out: folders of 0700 and files of 0600. Touches: these, and hidden files beside them,
whose names say which process of which machine writes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path
from typing import Any


def make_private(folder: Path) -> None:
    """Make `folder` and its missing parents, readable by the owner only."""
    for part in [*reversed(folder.parents), folder]:
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON whole or not at all: temporary name, sync, rename; 0600.

    What a process that died while it wrote the same file has left is removed.
    """
    hidden = hidden_beside(path)
    for left in path.parent.glob(f".{path.name}.*"):
        if is_left_over(left):
            left.unlink(missing_ok=True)
    for parquet in path.parent.glob("*.parquet"):
        parquet.chmod(0o600)
        sync(parquet)
    handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)


def sync(path: Path) -> None:
    """Ask the disk to keep `path` (a file or a folder)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hidden_beside(path: Path) -> Path:
    """The name under which this process writes `path` before it shows it."""
    return path.with_name(f".{path.name}.{_machine()}.{os.getpid()}")


def is_left_over(hidden: Path) -> bool:
    """Whether the process that wrote under a hidden name has ended.

    A folder may be shared: of another machine's processes this one knows nothing.
    """
    machine, pid = (*hidden.name.rsplit(".", 2), "", "")[1:3]
    if machine != _machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    return socket.gethostname().replace(".", "-")
