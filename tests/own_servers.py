"""PostgreSQL, MariaDB and Redis of one's own: on a free port, in a temporary folder, ended after.

In: an empty folder; certificates when the server shall speak TLS. Out: the port. Touches: the
folder, and processes that run as an unprivileged user. `pytest.skip` is the caller's business:
`missing` says which program this machine lacks.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

USUAL = {
    "postgres": ("KEHU_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"),
    "mariadb": ("KEHU_TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/"),
    "redis": ("KEHU_TEST_REDIS_URL", "redis://127.0.0.1:6379/0"),
}
"""Where tests look for a server: the variable, else the usual port and administrator."""
PROGRAMS = {
    "postgres": ("initdb", "postgres", "pg_basebackup"),
    "mariadb": ("mariadb-install-db", "mariadbd"),
    "redis": ("redis-server",),
}
PATIENCE = 40
"""Seconds that a server may take to answer."""


def program(name: str) -> Path | None:
    """Where a server's program lies; Debian keeps those of PostgreSQL off the PATH."""
    if found := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"):
        return Path(found)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return places[-1] if places else None


def missing(kind: str) -> str | None:
    """The first program of a kind of server that is not installed; None when all are."""
    return next((name for name in PROGRAMS[kind] if program(name) is None), None)


def url_of(kind: str) -> str:
    """Where tests look for this kind of server."""
    variable, usual = USUAL[kind]
    return os.environ.get(variable) or usual


def answers(url: str) -> bool:
    """Whether something listens there."""
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((parts.hostname or "127.0.0.1", parts.port or 0)) == 0


@contextmanager
def own_postgres(folder: Path, options: Sequence[str] = ()) -> Iterator[int]:
    """A server that trusts everyone on loopback; `options` are settings such as `ssl=on`."""
    data = _belonging(folder / "pgdata")
    _run(program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    with _postgres(data, folder / "postgres.log", options) as port:
        yield port


@contextmanager
def own_standby(folder: Path, primary: int) -> Iterator[int]:
    """A hot standby of the server at the port `primary` of this machine."""
    data = _belonging(folder / "standby")
    _run(program("pg_basebackup"), "-D", data, "-h", "127.0.0.1", "-p", primary, "-U", "postgres",
         "--write-recovery-conf", "--checkpoint=fast", "--no-sync")  # fmt: skip
    with _postgres(data, folder / "standby.log") as port:
        yield port


@contextmanager
def _postgres(data: Path, log: Path, options: Sequence[str] = ()) -> Iterator[int]:
    port = free_port()
    settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={data}",
                "fsync=off", *options]  # fmt: skip
    flags = [word for setting in settings for word in ("-c", setting)]
    with _serving([program("postgres"), "-D", data, *flags], port, log):
        # It listens a moment before it lets anybody in.
        asked = [str(program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)]
        for _ in range(PATIENCE * 10):
            if subprocess.run(asked).returncode == 0:
                break
            time.sleep(0.1)
        yield port


@contextmanager
def own_mariadb(folder: Path, options: Sequence[str] = ()) -> Iterator[int]:
    """A server whose root has no password; `options` are settings such as `ssl-cert=<file>`."""
    data = _belonging(folder / "mydata")
    user = f"--user={_user()}" if _user() else "--no-defaults"
    _run(program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", user,
         "--auth-root-authentication-method=normal", "--skip-test-db")  # fmt: skip
    port = free_port()
    settings = [f"datadir={data}", f"port={port}", "bind-address=127.0.0.1",
                f"socket={data}/s", f"pid-file={data}/pid", *options]  # fmt: skip
    flags = [f"--{setting}" for setting in settings]
    command = [program("mariadbd"), "--no-defaults", *flags]
    with _serving(command, port, folder / "mariadb.log"):
        yield port


@contextmanager
def own_redis(folder: Path, options: Sequence[str] = ()) -> Iterator[int]:
    """A server that keeps nothing; `options` are settings such as `maxmemory 10mb`."""
    data = _belonging(folder / "redis")
    port = free_port()
    settings = [f"port {port}", "bind 127.0.0.1", f"dir {data}", "appendonly no", *options]
    flags = [word for setting in settings for word in f"--{setting}".split(" ", 1)]
    command = [program("redis-server"), *flags, "--save", ""]
    with _serving(command, port, folder / "redis.log"):
        yield port


OWN = {"postgres": own_postgres, "mariadb": own_mariadb, "redis": own_redis}


def belonging(path: Path) -> Path:
    """A file given to the user as whom the servers run, readable by that user only."""
    path.chmod(0o600)
    if user := _user():
        shutil.chown(path, user)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user() -> str | None:
    """Servers refuse to run as root: then as `nobody`."""
    return "nobody" if os.geteuid() == 0 else None


def _belonging(folder: Path) -> Path:
    folder.mkdir(parents=True, mode=0o700)
    if user := _user():
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        for parent in folder.parents:
            # pytest's folders are private to root; the server only has to pass through.
            if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
    return folder


def _run(*command: object) -> None:
    done = subprocess.run(
        list(map(str, command)), user=_user(), capture_output=True, text=True, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")


@contextmanager
def _serving(command: Sequence[object], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), user=_user(), stdout=output, stderr=output, cwd="/"
        )
    try:
        end = time.monotonic() + PATIENCE
        while not answers(f"//127.0.0.1:{port}"):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not answer: {log.read_text()[-800:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
