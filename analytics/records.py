"""Tables in files, for the commands: CSV (also gzip) or Parquet, as a DataFrame.

In: a path. Out: rows as they stand, empty cells as missing, with the SHA-256 of the file. Touches
nothing else.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from kehu.errors import SourceError


def read(path: Path) -> pd.DataFrame:
    """The rows of a file. Raises `SourceError` when it cannot be read as its name says."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        # only an empty cell is missing: NA or null may be a value
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise SourceError(
            f"The table cannot be read: {type(error).__name__}.",
            where=str(path),
            do="give a CSV file with a header (UTF-8, also gzip) or a Parquet file",
        ) from None


def sha256(path: Path) -> str:
    """Of the file's bytes: the version of the data."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
