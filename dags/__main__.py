"""`python -m dags`: the doors to Airflow. Sets its environment, so use this, not `airflow`.

env   write .env with random keys unless it exists
db    make or migrate Airflow's own database and the pool of the writer
run   run every DAG once, in order, in this process, for one day; then show the figures
reconcile  compare the warehouse with the sources, cell by cell
backfill  queue past local days of one system, through Airflow's own backfill
up    start Airflow on loopback: UI, scheduler, DAG processor, triggerer; Ctrl-C ends all
worker  take tasks from the queue of KEHU_AIRFLOW_BROKER, on this machine; Ctrl-C ends it
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from dags import environment
from extract.disk import make_private
from kehu.errors import KehuError, SettingsError
from kehu.settings import CLONE, SYSTEMS, Settings, load

_SHOWN = 20
"""Differing rows of a kind that are shown; all of them are in the file."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when it could not."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)
    try:
        result: int = options.command(options, load())
        return result
    except KehuError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dags",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("env", help="write .env").set_defaults(command=_env)
    commands.add_parser("db", help="migrate Airflow's database").set_defaults(command=_db)
    run = commands.add_parser("run", help="run every DAG once")
    run.add_argument("--day", type=date.fromisoformat, help="local day, yyyy-mm-dd")
    run.add_argument("--full", action="store_true", help="read whole tables")
    run.set_defaults(command=_run)
    comparing = commands.add_parser("reconcile", help="compare the warehouse with the sources")
    comparing.add_argument("table", nargs="?", help="<system>.<table> or <system>; default: all")
    comparing.set_defaults(command=_reconcile)

    past = commands.add_parser(
        "backfill",
        help="queue past local days of one system; the scheduler of `up` runs them",
        description="Each day reads just what changed in it (with the contract's lag), whatever was"
        " loaded before. A DAG that is switched off waits.",
    )
    past.add_argument("system", choices=SYSTEMS)
    past.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="DAY")
    past.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="DAY")
    past.add_argument("--again", action="store_true", help="also days that have a finished run")
    past.set_defaults(command=_backfill)
    up = commands.add_parser("up", help="start Airflow on loopback")
    up.add_argument("--port", type=int, help="port of the UI (KEHU_AIRFLOW_PORT, 8080)")
    up.set_defaults(command=_up)
    worker = commands.add_parser("worker", help="take tasks from the queue")
    worker.add_argument("--name", help="name among all workers (default: that of the machine)")
    worker.set_defaults(command=_worker)
    return parser


def _env(_: argparse.Namespace, __: Settings) -> int:
    path = CLONE / ".env"
    written = environment.write_env_file(path)
    print(f"{path.name}: {'written with random keys (0600)' if written else 'exists'}")
    return 0


def _db(_: argparse.Namespace, settings: Settings) -> int:
    from dags.round import migrate, output_to

    logs = environment.airflow_home(settings) / "logs"
    make_private(logs)
    with output_to(logs / "migrate.log"):
        migrate(settings)
    print("Airflow's database is ready.")
    return 0


def _run(options: argparse.Namespace, settings: Settings) -> int:
    from dags.round import run

    return 0 if run(settings, options.day or default_day(settings), full=options.full) else 1


def _reconcile(options: argparse.Namespace, settings: Settings) -> int:
    from dags.reconcile import reconcile, shown

    secret, equal = settings.hash_key(), True
    for each in reconcile(settings, options.table):
        found, contract = each.found, each.contract
        equal = equal and each.is_equal
        print(
            f"{contract.name:<26} {'equal' if each.is_equal else 'DIFFERS'}   "
            f"source {found.source_rows:,}  warehouse {found.warehouse_rows:,}  "
            f"in quarantine {each.waiting:,}  changed since the load {each.newer:,}  "
            f"{each.seconds:.1f} s",
            flush=True,
        )
        for what, keys in (("missing", found.missing), ("only in the warehouse", found.surplus)):
            for key in keys[:_SHOWN]:
                print(f"  {what}: {shown(key, contract, secret)}")
        for key, names in list(found.changed.items())[:_SHOWN]:
            print(f"  changed: {shown(key, contract, secret)}: {', '.join(names)}")
        if not each.is_equal:
            more = "" if found.complete else "; the search ended there, more may differ"
            print(f"  {found.number:,} rows: {settings.home}/reconcile/{contract.name}.json{more}")
    return 0 if equal else 1


def _backfill(options: argparse.Namespace, settings: Settings) -> int:
    from dags.backfill import backfill

    queued = backfill(settings, options.system, options.first, options.last, again=options.again)
    print(f"{len(queued)} runs of ingest_{options.system} are queued:")
    print("\n".join(f"  {run_id}" for run_id in queued))
    return 0


def _up(options: argparse.Namespace, settings: Settings) -> int:
    from dags.servers import up

    return up(settings, options.port or environment.port(), partial(print, flush=True))


def _worker(options: argparse.Namespace, settings: Settings) -> int:
    from dags.servers import work

    return work(settings, options.name or socket.gethostname())


def default_day(settings: Settings) -> date:
    """The day the embedded sources stand at, when they are what is read; else yesterday."""
    path = settings.demo_sources / "truth" / "state.json"
    if path.is_file():
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            if all(state["databases"][s] == settings.source_url(s) for s in SYSTEMS):
                return date.fromisoformat(state["today"])
        except (ValueError, KeyError, TypeError):
            raise SettingsError(
                "The embedded sources do not say which day they stand at.",
                where=str(path),
                do="make them anew with `python -m demo create --force`, or give --day",
            ) from None
    return datetime.now(ZoneInfo(settings.timezone)).date() - timedelta(days=1)


if __name__ == "__main__":
    sys.exit(main())
