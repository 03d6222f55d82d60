"""Landing in an S3-compatible bucket: the bucket is the truth, a machine holds copies of it.

In: the folder of a machine's copies, whose name says which bucket it copies (`kehu.settings`).
Out: files put, fetched, listed and removed in the bucket. Touches: the bucket and the copies.

Keys come from where AWS tools look for them (AWS_ACCESS_KEY_ID, AWS_PROFILE, the role of the
machine ...); they are never part of the address.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePath
from urllib.parse import parse_qsl, urlsplit

from pyarrow import fs

from extract.disk import hidden_beside, make_private
from kehu.errors import LandingError, SettingsError, StorageAccessError, StorageError
from kehu.settings import bucket_of

_OPTIONS = frozenset({"endpoint_override", "region"})
_REFUSED = frozenset(
    {
        "ACCESS_DENIED",
        "INVALID_ACCESS_KEY_ID",
        "SIGNATURE_DOES_NOT_MATCH",
        "INVALID_CLIENT_TOKEN_ID",
    }
    | {"MISSING_AUTHENTICATION_TOKEN", "UNRECOGNIZED_CLIENT", "EXPIRED_TOKEN"}
)
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Bucket:
    """A bucket and the prefix in it, below which batches have their addresses."""

    name: str
    prefix: str
    store: fs.FileSystem = field(repr=False, compare=False)

    def url(self, address: PurePath | str) -> str:
        """Where a file lies, for people and for engines that read the bucket themselves."""
        return f"s3://{self._key(address)}"

    def put(self, path: Path, address: PurePath) -> None:
        """Copy a file into the bucket; it appears there whole or not at all."""
        key = self._key(address)
        with _asking(self, address):
            # Not `copy_files`: it does not tell when the last request of an upload fails.
            with path.open("rb") as source, self.store.open_output_stream(key) as target:
                shutil.copyfileobj(source, target, _AT_ONCE)
            size = self.store.get_file_info(key).size
        if size != path.stat().st_size:
            raise StorageError(
                f"The bucket holds {size} of the {path.stat().st_size} bytes of the file.",
                where=self.url(address),
                do="run the task again",
            )

    def fetch(self, address: PurePath, path: Path) -> None:
        """Copy a file of the bucket to `path`, 0600; `FileNotFoundError` when there is none."""
        hidden = hidden_beside(path)
        try:
            with _asking(self, address), self.store.open_input_stream(self._key(address)) as source:
                make_private(path.parent)
                handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as target:
                    shutil.copyfileobj(source, target, _AT_ONCE)
            hidden.replace(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LandingError(
                f"The copy of the file cannot be written: {error.strerror}",
                where=str(path),
                do="free space or correct the rights of the folder, then run the task again",
            ) from error
        finally:
            hidden.unlink(missing_ok=True)

    def read(self, address: PurePath) -> bytes:
        """A small file; `FileNotFoundError` when there is none."""
        with _asking(self, address), self.store.open_input_stream(self._key(address)) as source:
            content: bytes = source.read()
            return content

    def holds(self, address: PurePath) -> bool:
        with _asking(self, address):
            found = self.store.get_file_info(self._key(address))
            return bool(found.type == fs.FileType.File)

    def files(self, address: PurePath | str = "") -> list[PurePath]:
        """Addresses of every file below `address`."""
        below = fs.FileSelector(self._key(address), recursive=True)
        try:
            with _asking(self, address):
                found = self.store.get_file_info(below)
        except FileNotFoundError:  # asked for so, because a missing bucket is another answer
            return []
        base = self._key("")
        return [
            PurePath(each.path).relative_to(base) for each in found if each.type == fs.FileType.File
        ]

    def remove(self, address: PurePath) -> None:
        """Remove a file, if it is there."""
        if self.holds(address):
            with _asking(self, address):
                self.store.delete_file(self._key(address))

    def clear(self, address: PurePath, first: str) -> None:
        """Remove every file below `address`, the one named `first` before the others."""
        for each in sorted(self.files(address), key=lambda path: path.name != first):
            self.remove(each)

    def _key(self, address: PurePath | str) -> str:
        parts = (self.name, self.prefix, PurePath(address).as_posix())
        return "/".join(part for part in parts if part not in ("", "."))


def behind(folder: Path) -> Bucket | None:
    """The bucket whose copies lie in `folder`; None for a landing that is a folder itself."""
    url = bucket_of(folder)
    return _connect(url) if url else None


@cache
def _connect(url: str) -> Bucket:
    """Raises `SettingsError` for an address that says too much or too little, `StorageError`
    and `StorageAccessError` when there is no such bucket or it cannot be asked."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if not parts.netloc or not options.keys() <= _OPTIONS:
        raise SettingsError(
            "The address of the bucket cannot be used.",
            where="environment variable KEHU_LANDING",
            do="give s3://<bucket>/<prefix>; known options are " + ", ".join(sorted(_OPTIONS)),
        )
    scheme, _, host = options.get("endpoint_override", "").rpartition("://")
    bucket = Bucket(
        parts.netloc,
        parts.path.strip("/"),
        fs.S3FileSystem(
            region=options.get("region"),
            endpoint_override=host or None,
            scheme="http" if scheme == "http" else "https",
            connect_timeout=10,
            request_timeout=60,
            # A small file is one request, and so is there or not.
            allow_delayed_open=True,  # type: ignore[call-arg] # pyarrow has it, its stubs do not
        ),
    )
    with _asking(bucket, ""):
        found = bucket.store.get_file_info(bucket.name)
    if found.type == fs.FileType.NotFound:
        # Asked here once: listing what is not there would say that nothing has landed.
        raise StorageAccessError(
            "There is no such bucket.",
            where=bucket.url(""),
            do="make the bucket, or correct its name, region or endpoint in KEHU_LANDING",
        )
    return bucket


@contextmanager
def _asking(bucket: Bucket, address: PurePath | str) -> Iterator[None]:
    """Tell people what a failed request means; the store's own words may quote its answer."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise  # the disk of this machine
        found = re.search(r"AWS Error (\w+)", str(error))
        kind = found[1] if found else type(error).__name__
        if kind in _REFUSED or "HTTP status 403" in str(error):
            raise StorageAccessError(
                f"The bucket refuses us ({kind}).",
                where=bucket.url(address),
                do="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the role, and its rights:"
                " ListBucket, GetObject, PutObject, DeleteObject",
            ) from None
        if kind == "NO_SUCH_BUCKET":
            raise StorageAccessError(
                "There is no such bucket.",
                where=bucket.url(address),
                do="make the bucket, or correct its name, region or endpoint in KEHU_LANDING",
            ) from None
        raise StorageError(
            f"The bucket does not answer as it should ({kind}).",
            where=bucket.url(address),
            do="check endpoint and region in KEHU_LANDING, and whether the store runs and is"
            " reached from here; then run the task again",
        ) from None
