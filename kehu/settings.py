"""The one place where the environment is read.

In: environment variables named `KEHU_*` (documented in `.env.example`). Out: a frozen `Settings`.
Touches nothing: folders are made by the stage that writes into them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from kehu.errors import SettingsError

CLONE = Path(__file__).resolve().parent.parent
SYSTEMS = ("billing", "his", "orders", "service")
ENGINES = ("duckdb", "spark")
SPARK_TABLE_FORMATS = ("iceberg", "delta", "parquet")
ADDED_COLUMNS = "added-columns"
"""Folder in the home for columns that sources got and contracts take over by policy."""
COPIES = "landing-copies"
"""Folder in the home for a machine's copies of the batches that lie in buckets."""


@dataclass(frozen=True)
class Settings:
    """Where everything lies and which keys are used; made by `load`."""

    home: Path
    contract_dirs: tuple[Path, ...]
    source_urls: Mapping[str, str]
    reporting_currency: str
    as_of_dates: tuple[str, ...]
    hash_key_id: str
    timezone: str = "Asia/Shanghai"
    ingest_schedule: str = "0 0 * * *"
    memory: str = "8GB"
    """What DuckDB may take before it goes on in files; only one process writes at a time."""
    threads: int = 2
    """Cores that DuckDB may use for one query."""
    engine: str = "duckdb"
    spark_table_format: str = "iceberg"
    spark_storage: Path | None = None
    spark_storage_url: str | None = None
    work_folder: str = "warehouse"
    """Folder of the working file below the home; another one while a new file is made."""
    landing_url: str = ""
    readers: int = 1
    """Connections that read the tables of one source at the same time, from one snapshot."""

    @property
    def landing(self) -> Path:
        """The folder that stages work on: landing, or this machine's copies of a bucket's batches.

        The name of a folder of copies is the bucket's URL, so an address of a batch suffices to
        find it in either place, and the copies of two buckets never mix (`bucket_of`).
        """
        if self.landing_url.startswith("s3://"):
            return self.home / COPIES / quote(self.landing_url, safe="")
        return CLONE / self.landing_url if self.landing_url else self.home / "landing"

    @property
    def work_file(self) -> Path:
        """The restricted working warehouse: raw, ops, staging, identity and unpublished marts."""
        return self.home / self.work_folder / "kehu-work.duckdb"

    @property
    def backups(self) -> Path:
        """Where backups go unless another folder is named; restricted like the working file."""
        return self.home / "backups"

    @property
    def published(self) -> Path:
        return self.home / "published"

    @property
    def published_file(self) -> Path:
        """The symlink that BI tools open; always the last complete publication."""
        return self.published / "kehu.duckdb"

    @property
    def run_reports(self) -> Path:
        return self.home / "report"

    @property
    def dbt_project(self) -> Path:
        return CLONE / "dbt_project"

    @property
    def dbt_target(self) -> Path:
        return self.home / "dbt" / "target"

    @property
    def lake(self) -> Path:
        """The folder that Kehu and the Spark cluster both see; restricted like landing."""
        return self.spark_storage or self.home / "lake"

    @property
    def lake_url(self) -> str:
        """The same folder as the cluster calls it: a path, or a URL such as `s3a://…`."""
        return (self.spark_storage_url or str(self.lake)).rstrip("/")

    @property
    def demo_sources(self) -> Path:
        """Where the embedded source systems write their SQLite files and the truth."""
        return self.home / "sources"

    def source_url(self, system: str) -> str:
        """URL of a source system; SQLite of the embedded sources unless set."""
        return self.source_urls.get(system) or f"sqlite:///{self.demo_sources / system}.db"

    def hash_key(self) -> bytes:
        """Key of the pseudonyms (HMAC-SHA-256). Read late so that it never sits in a repr."""
        key = os.environ.get("KEHU_HASH_KEY", "")
        if len(key) < 32:
            raise SettingsError(
                "The key for pseudonyms is missing or shorter than 32 characters.",
                where="environment variable KEHU_HASH_KEY",
                do="run `make env`, which writes .env with random keys, and load .env",
            )
        return key.encode()

    def spark_url(self) -> str:
        """Where Spark listens, with the login. Read late so that it never sits in a repr."""
        url = os.environ.get("KEHU_SPARK_URL", "")
        if not url:
            raise SettingsError(
                "The engine is spark, but nothing says where it listens.",
                where="environment variable KEHU_SPARK_URL",
                do="give sc://host:port or thrift://user:password@host:port/?auth=LDAP, or the"
                " Airflow connection kehu_spark",
            )
        return url


def bucket_of(folder: Path) -> str | None:
    """The URL of the bucket whose batches are copied into `folder`; None for a landing folder."""
    return unquote(folder.name) if folder.parent.name == COPIES else None


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (default: the process environment)."""
    env = os.environ if environ is None else environ
    home = Path(env.get("KEHU_HOME") or CLONE / "data").expanduser()
    home = home if home.is_absolute() else CLONE / home
    storage = env.get("KEHU_SPARK_STORAGE")
    contracts = env.get("KEHU_CONTRACTS") or "extract/contracts:demo/public"
    dirs = [CLONE / part for part in contracts.split(":") if part]
    if (home / ADDED_COLUMNS).is_dir():
        dirs.append(home / ADDED_COLUMNS)
    return Settings(
        home=home,
        contract_dirs=tuple(dirs),
        source_urls={
            system: url for system in SYSTEMS if (url := env.get(f"KEHU_{system.upper()}_URL"))
        },
        reporting_currency=env.get("KEHU_REPORTING_CURRENCY") or "CNY",
        as_of_dates=tuple((env.get("KEHU_AS_OF_DATES") or "").split()),
        hash_key_id=env.get("KEHU_HASH_KEY_ID") or "k1",
        timezone=env.get("KEHU_TIMEZONE") or "Asia/Shanghai",
        ingest_schedule=env.get("KEHU_INGEST_SCHEDULE") or "0 0 * * *",
        memory=_memory(env),
        threads=_threads(env),
        engine=_one_of(env, "KEHU_ENGINE", ENGINES),
        spark_table_format=_one_of(env, "KEHU_SPARK_TABLE_FORMAT", SPARK_TABLE_FORMATS),
        spark_storage=CLONE / Path(storage).expanduser() if storage else None,
        spark_storage_url=env.get("KEHU_SPARK_STORAGE_URL") or None,
        landing_url=_landing_url(env.get("KEHU_LANDING") or ""),
        readers=_from_1_to(16, env.get("KEHU_READERS") or "1", "KEHU_READERS", "readers"),
    )


def _memory(env: Mapping[str, str]) -> str:
    """KEHU_MEMORY, or half of what the machine or the container has: Python needs the rest."""
    told = env.get("KEHU_MEMORY")
    if told:
        if not re.fullmatch(r"[1-9][0-9]*(MB|GB)", told):
            raise SettingsError(
                f"{told!r} is no amount of memory.",
                where="environment variable KEHU_MEMORY",
                do="give it as 900MB or 8GB",
            )
        return told
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        memory = min(memory, int(text))
    return f"{max(memory // 2_000_000, 500)}MB"


def _threads(env: Mapping[str, str]) -> int:
    """KEHU_THREADS, or what this process may use of the machine or the container."""
    if told := env.get("KEHU_THREADS"):
        return _from_1_to(1024, told, "KEHU_THREADS", "threads")
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    limit = Path("/sys/fs/cgroup/cpu.max")
    if limit.is_file():
        quota, period = limit.read_text().split()
        if quota.isdigit():
            cores = min(cores, max(int(quota) // int(period), 1))
    return cores


def _from_1_to(most: int, text: str, variable: str, what: str) -> int:
    """A whole number; raises `SettingsError` that names the variable."""
    if not re.fullmatch("[1-9][0-9]{0,3}", text) or int(text) > most:
        raise SettingsError(
            f"{text!r} is no number of {what}.",
            where=f"environment variable {variable}",
            do=f"give a whole number from 1 to {most}",
        )
    return int(text)


def _one_of(env: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """A setting that has one of the known values; the first of them when it is not set."""
    value = env.get(name) or known[0]
    if value not in known:
        raise SettingsError(
            f"{value!r} is no value of this setting.",
            where=f"environment variable {name}",
            do=f"give one of: {', '.join(known)}",
        )
    return value


def _landing_url(text: str) -> str:
    """A folder or s3://bucket/prefix; raises `SettingsError`, which never quotes a secret."""
    parts = urlsplit(text)
    what = None
    if parts.scheme not in ("", "s3"):
        what = f"Landing cannot lie at {parts.scheme}://."
    elif parts.scheme and "@" in text:
        what = "The address of the bucket holds a key; addresses reach logs and file names."
    elif parts.scheme and len(quote(text, safe="")) > 255:
        what = "The address of the bucket is longer than a name of a folder may be."
    if what:
        raise SettingsError(
            what,
            where="environment variable KEHU_LANDING",
            do="give a folder, or s3://<bucket>/<prefix>?region=<region> with the keys in"
            " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    return text if parts.scheme else str(Path(text).expanduser()) if text else ""
