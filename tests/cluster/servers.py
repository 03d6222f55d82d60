"""Real Spark on this machine: a 3.5 cluster with Iceberg behind Thrift, and a 4.1 Connect server.

In: an empty folder; the environments `.venv-spark35` and `.venv-spark41` (`make spark-servers`) and
Java 17. Out: a `Server` that answers on 127.0.0.1. Touches: that folder only (tables, metastore,
logs) and free ports of loopback; every process is ended, also after a failure or Ctrl-C.

    with standalone(folder) as server:   # master, two workers, Thrift server, Iceberg tables
        server.settings                  # KEHU_ENGINE, KEHU_SPARK_URL, KEHU_SPARK_TABLE_FORMAT
        with server.chosen(): ...        # the same, and what dbt's profile reads, in os.environ
    with connect(folder, token="…") as server: ...  # one JVM, Spark Connect, Parquet tables

Both are up in some 15 seconds of a quiet machine. By hand, until Ctrl-C:
`python -m tests.cluster.servers standalone|connect <folder>`, which prints what to export.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kehu.errors import KehuError, SettingsError, WarehouseError
from kehu.settings import CLONE
from warehouse.engines.address import Address

HOST = "127.0.0.1"
JAVA = 17
START_SECONDS = 240
"""A loaded machine of two cores needs a minute; nothing waits for this long when all is well."""
SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Short queries over little data: a thread of garbage collection and a fast compiler are enough.
That compiler alone gets room for a fifth of Spark's code, and would for ever throw some away."""


@dataclass(frozen=True)
class Server:
    """Where an engine answers, and which tables it keeps."""

    url: str = field(repr=False)
    table_format: str
    folder: Path

    @property
    def address(self) -> Address:
        return Address.parse(self.url)

    @property
    def settings(self) -> dict[str, str]:
        """Kehu's own settings for this engine."""
        return {
            "KEHU_ENGINE": "spark",
            "KEHU_SPARK_URL": self.url,
            "KEHU_SPARK_TABLE_FORMAT": self.table_format,
        }

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """The settings, and what dbt reads, in the environment; afterwards as it was before."""
        variables = {**self.settings, **self.address.dbt_environment}
        kept = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@contextmanager
def standalone(folder: Path, *, options: Sequence[str] = ()) -> Iterator[Server]:
    """Spark 3.5: a master, two workers of one core, a Thrift server; tables are Iceberg's.

    `options` are further arguments of the Thrift server (`--hiveconf name=value`).
    """
    home = spark_home("spark35")
    jar = _iceberg(home)
    master, thrift = free_port(), free_port()
    url = f"spark://{HOST}:{master}"
    with _processes(folder, home) as run:
        run(
            "master",
            [
                f"{home}/bin/spark-class",
                "org.apache.spark.deploy.master.Master",
                *("--host", HOST, "--port", str(master), "--webui-port", "0"),
            ],
            _listens(master),
        )
        for number in (1, 2):
            run(
                f"worker{number}",
                [
                    f"{home}/bin/spark-class",
                    "org.apache.spark.deploy.worker.Worker",
                    *("--host", HOST, "--webui-port", "0", "--cores", "1", "--memory", "1g"),
                    *("--work-dir", str(folder / f"worker{number}"), url),
                ],
            )
        settings = {
            "spark.executor.memory": "1g",
            "spark.cores.max": "2",
            # `--jars` comes too late for the Thrift server's own classes.
            "spark.driver.extraClassPath": jar,
            "spark.executor.extraClassPath": jar,
            "spark.sql.extensions": (
                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
            ),
            "spark.sql.catalog.spark_catalog": "org.apache.iceberg.spark.SparkSessionCatalog",
            "spark.sql.catalog.spark_catalog.type": "hive",
            # Derby has no HIVE_LOCKS; a metastore for several writers has them: leave it on there.
            "spark.hadoop.iceberg.engine.hive.lock-enabled": "false",
            **_common(folder),
        }
        run(
            "thrift",
            [
                f"{home}/bin/spark-submit",
                *("--master", url, *_conf(settings)),
                *("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"),
                "spark-internal",
                *("--hiveconf", f"hive.server2.thrift.bind.host={HOST}"),
                *("--hiveconf", f"hive.server2.thrift.port={thrift}"),
                *("--hiveconf", "hive.server2.authentication=NOSASL"),
                *options,
            ],
            _listens(thrift),
            "2g",
        )
        yield Server(f"thrift://kehu@{HOST}:{thrift}/?auth=NOSASL", "iceberg", folder)


@contextmanager
def connect(folder: Path, *, token: str = "") -> Iterator[Server]:
    """Spark 4.1: a Connect server that works in its own process; tables are Parquet files.

    With a `token` it refuses every call without it.
    """
    home = spark_home("spark41")
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": HOST,
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.catalogImplementation": "hive",
        **({"spark.connect.authenticate.token": token} if token else {}),
        **_common(folder),
    }
    with _processes(folder, home) as run:
        run(
            "connect",
            [
                f"{home}/bin/spark-submit",
                *("--master", "local[2]", *_conf(settings)),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
                "spark-internal",
            ],
            _listens(port),
            "3g",
        )
        # the client sends a token over TLS only, except to the name localhost
        place = f"localhost:{port}/;token={token}" if token else f"{HOST}:{port}"
        yield Server(f"sc://{place}", "parquet", folder)


def spark_home(environment: str) -> Path:
    """The folder of Spark inside `.venv-<environment>`; checks Java first."""
    require_java()
    found = next((CLONE / f".venv-{environment}").glob("lib/python3*/site-packages/pyspark"), None)
    if found is None:
        raise SettingsError(
            "Spark's server is not installed.",
            where=f".venv-{environment}",
            do="run `make spark-servers`, which installs requirements-spark*.lock (about 1 GB)",
        )
    return found


def require_java() -> None:
    """Refuse to go on without the Java that both versions of Spark run on."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    found = "none was found"
    if java and Path(java).exists():
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
        first = (answer.stderr or answer.stdout).split('"')
        found = f"{java} is {first[1] if len(first) > 1 else 'of unknown version'}"
        if len(first) > 1 and first[1].split(".")[0] == str(JAVA):
            return
    raise SettingsError(
        f"Spark's servers need Java {JAVA}; {found}.",
        where="JAVA_HOME" if home else "PATH",
        do=f"install it (Debian: apt install openjdk-{JAVA}-jre-headless) or point JAVA_HOME to it",
    )


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _iceberg(home: Path) -> str:
    # Spark 3.5's package is built with Scala 2.12.
    jars = home.parent / "snowpark_connect_deps_iceberg" / "jars"
    (jar,) = jars.glob("iceberg-spark-runtime-3.5_2.12-*.jar")
    return str(jar)


def _common(folder: Path) -> dict[str, str]:
    """What only a small machine needs; what answers depend on is set by the session."""
    return {
        "spark.driver.bindAddress": HOST,
        "spark.driver.host": HOST,
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(folder / "tables"),
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        # Little data: compiling a plan, and asking after each stage how to go on, costs more than
        # the work.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.autoBroadcastJoinThreshold": "64m",
        "spark.driver.extraJavaOptions": f"{SMALL_JVM} -Dderby.system.home={folder}",
        "spark.executor.extraJavaOptions": SMALL_JVM,
    }


_METASTORE = {
    "javax.jdo.option.ConnectionURL": "jdbc:derby:;databaseName={folder}/metastore;create=true",
    "datanucleus.schema.autoCreateAll": "true",
    "hive.metastore.schema.verification": "false",
}
"""Spark and Iceberg are two clients of a metastore inside their process, which opens its database
anew whenever the next call comes with other settings than the last. So both get these from a file:
Spark adds the last two by itself, Iceberg does not."""


def _conf(settings: Mapping[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]


def _listens(port: int) -> Callable[[], bool]:
    def answers() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((HOST, port)) == 0

    return answers


@contextmanager
def _processes(folder: Path, home: Path) -> Iterator[Callable[..., None]]:
    """A function that starts a process and waits until it answers; all end with the block."""
    conf = folder / "conf"
    conf.mkdir(parents=True)
    settings = "".join(
        f"<property><name>{name}</name><value>{text.format(folder=folder)}</value></property>"
        for name, text in _METASTORE.items()
    )
    (conf / "hive-site.xml").write_text(f"<configuration>{settings}</configuration>")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SPARK_")},
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(conf),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_LOCAL_HOSTNAME": HOST,
        "SPARK_DAEMON_JAVA_OPTS": SMALL_JVM,
    }

    with ExitStack() as stack:

        def run(
            name: str,
            command: Sequence[str],
            ready: Callable[[], bool] | None = None,
            memory: str = "256m",
        ) -> None:
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, "SPARK_DAEMON_MEMORY": memory},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own: executors end with their worker
            )
            stack.callback(_end, process)
            _wait(name, process, ready, folder / f"{name}.log")

        yield run


def _wait(
    name: str, process: subprocess.Popen[bytes], ready: Callable[[], bool] | None, log: Path
) -> None:
    end = time.monotonic() + START_SECONDS
    while ready is not None and not ready():
        if process.poll() is not None or time.monotonic() > end:
            what = "ended" if process.poll() is not None else f"did not answer in {START_SECONDS} s"
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            told = next((line for line in lines if "Exception" in line), lines[-1] if lines else "")
            raise WarehouseError(
                f"Spark's {name} {what}: {told}",
                where=str(log),
                do="read the log; the usual causes are memory and another Java",
            )
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started: politely, then not."""
    for sent, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def main(arguments: Sequence[str]) -> None:
    """Keep one of the two until Ctrl-C; `java` only checks for Java."""
    kinds = {"standalone": standalone, "connect": connect}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    match arguments:
        case ["java"]:
            require_java()
        case [("standalone" | "connect") as kind, folder]:
            with kinds[kind](Path(folder).resolve()) as server:
                exports = [f"export {name}='{text}'" for name, text in server.settings.items()]
                told = f"# logs and tables in {server.folder}; Ctrl-C ends it"
                sys.stdout.write("\n".join([told, *exports, ""]))
                sys.stdout.flush()
                signal.pause()
        case _:
            sys.exit("usage: python -m tests.cluster.servers standalone|connect <folder>")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KehuError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("ended")
