"""What is kept beside the databases: the demo's state, the truth, the planted rows, the canaries.

In and out: files under `<home>/sources/truth` (0600 in a folder of 0700). Touches only those.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kehu.errors import KehuError
from kehu.settings import Settings


@dataclass(frozen=True)
class State:
    """Which world the databases hold and where its clock stands."""

    seed: int
    customers: int
    start: date
    today: date
    databases: Mapping[str, str]
    """By system the address that was written, without password."""
    rows: Mapping[str, int]
    planted: Mapping[str, Mapping[str, int]]


def folder(settings: Settings) -> Path:
    return settings.demo_sources / "truth"


def read(settings: Settings) -> State | None:
    """The state of the demo, or None when nothing complete was created."""
    path = folder(settings) / "state.json"
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for name in ("start", "today"):
            document[name] = date.fromisoformat(document[name])
        return State(**document)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise KehuError(
            "The state of the demo cannot be read.",
            where=str(path),
            do="run `python -m demo create --force`, which writes everything anew",
        ) from error


def forget(settings: Settings) -> None:
    """Before databases are rewritten: what is half done has no state."""
    (folder(settings) / "state.json").unlink(missing_ok=True)


def write(
    settings: Settings,
    state: State,
    truth: pa.Table,
    canaries: Mapping[str, Any],
    last: Mapping[str, Mapping[str, int]],
) -> None:
    """Write truth, canaries and planted rows, and the state last."""
    target = folder(settings)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.chmod(0o700)
    part = target / "truth.parquet.part"
    with _private(part) as handle:
        pq.write_table(truth, handle, compression="zstd")
    part.replace(target / "truth.parquet")
    _write(target / "canaries.json", canaries)
    _write(
        target / "planted.json",
        {
            "day": state.today.isoformat(),
            # in the databases now, and among the rows the last step wrote (all of them at first)
            "tables": state.planted,
            "written_last": last,
        },
    )
    document = asdict(state) | {"start": str(state.start), "today": str(state.today)}
    _write(target / "state.json", document)


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write(path: Path, document: Any) -> None:
    part = path.with_name(path.name + ".part")
    with _private(part) as handle:
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
        handle.write((text + "\n").encode())
    part.replace(path)
