"""Create the embedded source systems and move their clock.

In: seed, customers, day, settings. Out: a `Report`. Touches: the four source databases and the
files of `demo.state`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import pyarrow as pa

from demo import state as kept
from demo.clock import FUTURE_DAYS, day_number, end_of
from demo.engines import opened
from demo.setting import Setting, lay_out
from demo.targets import Target, parse
from demo.world import EVER, Change, canaries, changes, truth
from extract.contract import Contract, read_all
from kehu.errors import KehuError
from kehu.settings import CLONE, SYSTEMS, Settings

CONTRACTS = CLONE / "extract" / "contracts"
"""The tables of the four systems; what the demo writes derives from them."""

ROWS_AT_ONCE = 200_000

Progress = Callable[[str, str, int], None]
"""Told of system, table and number of rows written."""


@dataclass
class Tally:
    """What was written of one table."""

    new: int = 0
    changed: int = 0
    late: int = 0
    deleted: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    spoilt: Counter[str] = field(default_factory=Counter)

    def add(self, change: Change) -> None:
        self.new += change.new
        self.changed += change.changed
        self.late += change.late
        self.deleted += change.gone.num_rows
        self.planted.update(change.planted)
        self.spoilt.update(change.spoilt)


@dataclass(frozen=True)
class Report:
    """What one command did."""

    state: kept.State
    tables: Mapping[str, Tally]
    seconds: float
    skipped: bool = False
    """Nothing was done: the databases hold this world already."""


def create(
    settings: Settings,
    *,
    customers: int,
    seed: int,
    day: date,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write the four systems as they are at the end of `day`.

    Does nothing when they hold the same world already, wherever its clock stands by now.
    """
    started = time.perf_counter()
    _check(customers, seed)
    databases = {s: parse(s, settings.source_url(s)).shown for s in SYSTEMS}
    state = None if force else kept.read(settings)
    if state is not None:
        wanted = (seed, customers, day, databases)
        if (state.seed, state.customers, state.start, dict(state.databases)) != wanted:
            raise KehuError(
                f"Other sources are there already: {state.customers} customers of seed "
                f"{state.seed} from {state.start}.",
                where=str(kept.folder(settings)),
                do="add --force to replace them (what was loaded from them must then go too: "
                "`make clean`), or set KEHU_HOME to another folder",
            )
        if _standing(settings):
            return Report(state, {}, time.perf_counter() - started, skipped=True)
    world = lay_out(seed, customers, day, day)
    kept.forget(settings)
    tallies = _write(settings, world, EVER, rebuild=True, progress=progress)
    state = kept.State(
        seed=seed,
        customers=customers,
        start=day,
        today=day,
        databases=databases,
        rows={name: tally.new for name, tally in tallies.items()},
        planted=_counts(tallies, "planted"),
    )
    kept.write(settings, state, truth(world), canaries(world), _counts(tallies, "spoilt"))
    return Report(state, tallies, time.perf_counter() - started)


def advance(settings: Settings, *, days: int, progress: Progress | None = None) -> Report:
    """Let `days` more days pass in all four systems."""
    started = time.perf_counter()
    state = kept.read(settings)
    if state is None:
        raise KehuError(
            "There are no embedded sources to advance.",
            where=str(kept.folder(settings)),
            do="run `python -m demo create` first",
        )
    databases = {s: parse(s, settings.source_url(s)).shown for s in SYSTEMS}
    if databases != dict(state.databases):
        moved = ", ".join(s for s in SYSTEMS if databases[s] != state.databases.get(s))
        raise KehuError(
            "The sources were created in other databases than the ones named now.",
            where=f"systems {moved}; created in "
            + ", ".join(state.databases.get(s, "?") for s in moved.split(", ")),
            do="name the same URLs as for `create`",
        )
    today = state.today + timedelta(days=days)
    left = FUTURE_DAYS - (state.today - state.start).days
    if not 1 <= days <= left:
        raise KehuError(
            f"The clock can be moved by 1 to {left} days.",
            where=f"--days {days}; created for {state.start}, now at {state.today}",
            do="name fewer days, or create sources with a later --day",
        )
    world = lay_out(state.seed, state.customers, state.start, today, changes_since=state.today)
    since = end_of(day_number(state.today))
    tallies = _write(settings, world, since, rebuild=False, progress=progress)
    rows = {
        name: count + tallies[name].new - tallies[name].deleted if name in tallies else count
        for name, count in state.rows.items()
    }
    added = _counts(tallies, "planted")
    planted = {
        name: dict(Counter(state.planted.get(name, {})) + Counter(added.get(name, {})))
        for name in sorted({*state.planted, *added})
    }
    state = kept.State(
        seed=state.seed,
        customers=state.customers,
        start=state.start,
        today=today,
        databases=databases,
        rows=rows,
        planted=planted,
    )
    kept.write(settings, state, truth(world), canaries(world), _counts(tallies, "spoilt"))
    return Report(state, tallies, time.perf_counter() - started)


def _check(customers: int, seed: int) -> None:
    if not 50 <= customers <= 5_000_000 or not 0 <= seed < 2**63:
        raise KehuError(
            "The number of customers must be from 50 to 5,000,000 and the seed from 0.",
            where=f"--customers {customers} --seed {seed}",
            do="correct the option",
        )


@cache
def _contracts(system: str) -> tuple[Contract, ...]:
    return tuple(c for c in read_all([CONTRACTS], system) if c.source_kind == "database")


def _standing(settings: Settings) -> bool:
    """Whether all databases still hold all tables."""
    for system in SYSTEMS:
        with opened(system, settings.source_url(system), rebuild=False) as target:
            if not {c.table for c in _contracts(system)} <= target.tables():
                return False
    return True


def _write(
    settings: Settings, world: Setting, since: int, *, rebuild: bool, progress: Progress | None
) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for system in SYSTEMS:
        contracts = _contracts(system)
        with opened(system, settings.source_url(system), rebuild=rebuild) as target:
            if rebuild:
                target.create(contracts)
            # many small parts of a table are written as one
            waiting: dict[str, list[pa.Table]] = {}
            for change in changes(world, contracts, since):
                name = change.contract.table
                tallies.setdefault(change.contract.name, Tally()).add(change)
                if not rebuild:
                    _clear(target, change)
                parts = waiting.setdefault(name, [])
                parts.append(change.rows)
                if sum(part.num_rows for part in parts) > ROWS_AT_ONCE:
                    target.load(change.contract, pa.concat_tables(parts).combine_chunks())
                    parts.clear()
                if progress:
                    progress(system, name, change.rows.num_rows)
            for contract in contracts:
                if rest := waiting.get(contract.table):
                    target.load(contract, pa.concat_tables(rest).combine_chunks())
            target.commit()
    return tallies


def _clear(target: Target, change: Change) -> None:
    """Delete what went, and what stands under the keys of rows about to be written: so a step
    that broke off half way can be taken again."""
    if change.gone.num_rows:
        target.delete(change.contract, change.gone)
    if change.rows.num_rows:
        target.delete(change.contract, change.rows.select(list(change.contract.key)))


def _counts(tallies: Mapping[str, Tally], what: str) -> dict[str, dict[str, int]]:
    counts = {name: dict(sorted(getattr(tally, what).items())) for name, tally in tallies.items()}
    return {name: by_rule for name, by_rule in sorted(counts.items()) if by_rule}
