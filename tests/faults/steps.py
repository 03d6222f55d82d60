"""The steps of a round, each as a process of its own that may be told to die on its way.

In: settings, a step's name, what the step before handed over. Out: what it hands over, or the
signal it died of. Touches what the stage touches.

Processes are forked from one that has imported the stages already, so that a hundred of them do
not import Great Expectations a hundred times.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from extract.landing import Batch
from kehu.errors import KehuError
from kehu.settings import CLONE, Settings
from tests.faults.points import Points

SYSTEM = "billing"
PATIENCE = 120
"""Seconds after which a step counts as hanging."""


@dataclass(frozen=True)
class Given:
    """What a task gets from the scheduler: run, day, and what the task before returned."""

    run_id: str
    day: date
    addresses: tuple[str, ...] = ()
    system: str = SYSTEM


def extract(settings: Settings, given: Given) -> list[str]:
    from extract.run import extract_system
    from warehouse.raw import watermarks

    batches = extract_system(
        given.system,
        day=given.day,
        run_id=given.run_id,
        watermarks=watermarks(given.system, settings),
        settings=settings,
    )
    return [str(batch.address) for batch in batches]


def gate(settings: Settings, given: Given) -> list[str]:
    from expectations.gate import require_passed, validate_all

    batches = [Batch.at(settings.landing, address) for address in given.addresses]
    require_passed(validate_all(batches, settings))
    return list(given.addresses)


def load(settings: Settings, given: Given) -> list[str]:
    from warehouse.raw import load_all

    batches = [Batch.at(settings.landing, address) for address in given.addresses]
    load_all(batches, settings, given.run_id)
    return list(given.addresses)


MARTS = {
    "value.accounts": """
        select account_no, sum(billed) as billed, sum(paid) as paid, count(*) as items from (
            select account_no, amount as billed, 0 as paid from raw.billing__bills
            where _is_current and not _is_deleted
            union all
            select account_no, 0, amount from raw.billing__payments
            where _is_current and not _is_deleted
        ) group by account_no""",
    "credit.months": """
        select period, count(*) as bills, sum(amount) as billed from raw.billing__bills
        where _is_current and not _is_deleted group by period""",
    "customer.history": """
        select strftime(updated_at, '%Y-%m-%d') as day, count(*) as versions, sum(amount) as amount
        from raw.billing__payments group by day""",
}
"""Small marts over raw: what is published where a full build would say no more."""


def marts(settings: Settings, given: Given) -> list[str]:
    from warehouse import connection, runs, volume

    volume.require_accepted(settings)
    with (
        runs.run(settings, f"build-{given.run_id}", "build_customer_marts", given.day),
        connection.write(settings) as con,
    ):
        con.execute("begin transaction")
        for name, sql in MARTS.items():
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create or replace table {name} as {sql}")
        con.execute("commit")
    return list(given.addresses)


def publish(settings: Settings, given: Given) -> list[str]:
    from warehouse import publish, runs

    publish.publish(settings, runs.built_run(settings))
    return list(given.addresses)


def build(settings: Settings, given: Given) -> list[str]:
    """The real build, statistics and the memory of customer ids included, as the DAG does it."""
    from dags.blocks.marts import build_all

    build_all(settings, f"build-{given.run_id}", "build_customer_marts")
    return list(given.addresses)


def audited(settings: Settings, given: Given) -> list[str]:
    """The real publication, audited by the gate before readers."""
    from expectations.published import audit
    from warehouse import publish, runs

    publish.publish(settings, runs.built_run(settings), audit)
    return list(given.addresses)


STEPS: dict[str, Callable[[Settings, Given], list[str]]] = {
    each.__name__: each for each in (extract, gate, load, marts, publish, build, audited)
}
INGEST = ("extract", "gate", "load")
ROUND = (*INGEST, "marts", "publish")


@dataclass
class Outcome:
    """How a process ended: its exit code (negative: a signal), its answer, where it had been."""

    code: int | None
    addresses: tuple[str, ...]
    points: list[str] = field(repr=False)
    error: str = ""


@dataclass
class Running:
    """A step that runs beside the test."""

    process: ForkServerProcess
    papers: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def wait(self, seconds: float = PATIENCE) -> Outcome:
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
            raise AssertionError(f"the step hangs: not finished after {seconds} s")
        names, answer = self.papers / "points", self.papers / "answer"
        told: dict[str, Any] = json.loads(answer.read_text()) if answer.is_file() else {}
        return Outcome(
            self.process.exitcode,
            tuple(told.get("addresses", ())),
            names.read_text().splitlines() if names.is_file() else [],
            told.get("error", ""),
        )


def start(
    step: str,
    settings: Settings,
    given: Given,
    papers: Path,
    *,
    die_at: int | None = None,
    by: int = signal.SIGKILL,
    limits: Sequence[tuple[int, int]] = (),
    environment: dict[str, str] | None = None,
) -> Running:
    """Start a step; `die_at` says before which of its points it kills itself, `by` which signal.

    `limits` are resource limits of the process, `environment` variables it alone has; among them
    FAULT_MODEL is the model whose statements fail.
    """
    papers.mkdir(parents=True, exist_ok=True)
    for name in ("points", "answer"):
        (papers / name).unlink(missing_ok=True)
    process = _context().Process(
        target=_perform,
        args=(step, settings, given, papers, die_at, by, tuple(limits), environment or {}),
    )
    process.start()
    return Running(process, papers)


def _perform(
    step: str,
    settings: Settings,
    given: Given,
    papers: Path,
    die_at: int | None,
    by: int,
    limits: Sequence[tuple[int, int]],
    environment: dict[str, str],
) -> None:
    import resource
    import time

    output = os.open(papers / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment)
    time.tzset()
    points = Points(papers / "points", die_at, by)
    points.install()
    if step == "build":
        points.install_in_dbt(environment.get("FAULT_MODEL", ""))
    for kind, limit in limits:
        resource.setrlimit(kind, (limit, limit))
    try:
        told = {"addresses": STEPS[step](settings, given)}
    except KehuError as error:
        told = {"error": str(error)}
    except MemoryError:
        told = {"error": "MemoryError"}
    # Like the scheduler's own record: outside of the house, and not a point to die at.
    answer = os.open(papers / "answer", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(answer, json.dumps(told).encode())
    os._exit(1 if "error" in told else 0)


_CONTEXT: list[ForkServerContext] = []


def _context() -> ForkServerContext:
    if not _CONTEXT:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.warm"])
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(CLONE), *filter(None, paths)])
        _CONTEXT.append(context)
    return _CONTEXT[0]
