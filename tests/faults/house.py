"""A small house on a real PostgreSQL source, and what must hold in it after every fault.

In: the URL of an empty database. Out: `Erp`, a source that moves day by day, and `House`, which
reads it as the tasks of the DAG do. Touches: that database, the house's folder.

Three contracts of the project are used as they are, so their suites, rules and limits apply.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from demo import postgres, targets
from expectations.gate import require_passed, validate_all
from extract import contract as contracts_of
from extract import leftovers
from extract.contract import Contract
from extract.landing import Batch
from extract.run import extract_system
from kehu.errors import KehuError
from kehu.settings import CLONE, Settings
from tests.faults import steps
from warehouse import books, connection, hashes, raw, run_report
from warehouse.books import LoadResult
from warehouse.run_report import Told

DAY = date(2026, 1, 31)
TABLES = ("accounts", "bills", "payments")
CONTRACTS = {
    name: contracts_of.read(CLONE / "extract" / "contracts" / "billing" / f"{name}.yaml")
    for name in TABLES
}
CANARY = "Canary Zeisig"
"""The name of an account's holder; it must not leave the restricted zone."""
BAD = {"bills": 3, "payments": 2}
"""Planted rows that break a rule."""

_FIRST = """
    insert into billing.accounts (account_no, holder_name, holder_kind, usage_category,
        currency_code, payment_mode, opened_date, updated_at)
    select 'A' || lpad(i::text, 4, '0'), '{canary} ' || i, 'person', 'residential', 'CNY',
        'postpaid', '2020-01-01', timestamp '2026-01-20 08:00' + i * interval '1 hour'
    from generate_series(1, 40) as i;
    insert into billing.bills (bill_no, account_no, period, issued_date, due_date, kwh, amount,
        cost, late_fee, currency_code, updated_at)
    select 'B' || lpad(i::text, 5, '0'), 'A' || lpad((i % 40 + 1)::text, 4, '0'),
        to_char(issued, 'YYYY-MM'), issued, issued + 20, i, i * 1.37, i * 0.91, 0, 'CNY',
        timestamp '2026-01-25 06:00' + i * interval '20 minutes'
    from (select i, date '2025-01-05' + i * 2 as issued from generate_series(1, 180) as i) as one;
    insert into billing.payments (payment_no, account_no, bill_no, amount, currency_code, channel,
        paid_at, updated_at)
    select 'P' || lpad(i::text, 5, '0'), 'A' || lpad((i % 40 + 1)::text, 4, '0'),
        'B' || lpad(i::text, 5, '0'), i * 1.37, 'CNY', 'app',
        timestamp '2025-01-20 09:00' + i * interval '2 days',
        timestamp '2026-01-25 07:00' + i * interval '20 minutes'
    from generate_series(1, 180) as i;
    insert into billing.bills (bill_no, account_no, period, issued_date, due_date, amount,
        currency_code, updated_at)
    select 'X' || i, 'A0001', '2026-01', '2026-01-10', '2026-01-01', 5, 'CNY', '2026-01-26 06:00'
    from generate_series(1, 3) as i;
    insert into billing.payments (payment_no, account_no, amount, currency_code, channel, paid_at,
        updated_at)
    select 'X' || i, 'A0001', -5, 'CNY', 'app', '2026-01-10', '2026-01-26 06:00'
    from generate_series(1, 2) as i;
"""
_DAY = """
    insert into billing.bills (bill_no, account_no, period, issued_date, due_date, amount,
        currency_code, updated_at)
    select 'B{n}-' || i, 'A000' || i, to_char(date '{day}', 'YYYY-MM'), '{day}', date '{day}' + 20,
        i * 2.05, 'CNY', timestamp '{day} 08:00' + i * interval '10 minutes'
    from generate_series(1, 6) as i;
    update billing.bills set amount = amount + 0.01, updated_at = '{day} 09:30'
    where bill_no in (select 'B' || lpad(({n} * 7 + i)::text, 5, '0') from generate_series(1, 4) i);
    insert into billing.payments (payment_no, account_no, bill_no, amount, currency_code, channel,
        paid_at, updated_at)
    select 'P{n}-' || i, 'A000' || i, 'B{n}-' || i, i * 2.05, 'CNY', 'counter', '{day} 10:00',
        timestamp '{day} 10:00' + i * interval '10 minutes'
    from generate_series(1, 5) as i;
    update billing.payments set amount = amount + 0.02, updated_at = '{day} 11:30'
    where payment_no in
        (select 'P' || lpad(({n} * 9 + i)::text, 5, '0') from generate_series(1, 5) as i);
    delete from billing.payments where payment_no in
        ('P' || lpad((100 + {n})::text, 5, '0'), 'P' || lpad((140 + {n})::text, 5, '0'));
    update billing.accounts set region = 'R{n}', updated_at = '{day} 12:00'
    where account_no in ('A0003', 'A000{digit}');
"""


@dataclass
class Erp:
    """The source: accounts, bills and payments of a charging system."""

    url: str

    def run(self, *statements: str, values: Sequence[Any] = ()) -> None:
        with closing(psycopg2.connect(self.url)) as con, con.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, values or None)
            con.commit()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as con, con.cursor() as cursor:
            cursor.execute(sql)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def create(self) -> None:
        self.run("create schema billing")
        for contract in CONTRACTS.values():
            types = postgres._TYPES | {"timestamp": "timestamp"}
            self.run(targets.definition(contract, types, f"billing.{contract.table}"))
        self.run(_FIRST.format(canary=CANARY))

    def move(self, number: int) -> date:
        """Let day `number` happen; gives it."""
        day = DAY + timedelta(days=number)
        self.run(_DAY.format(n=number, day=day.isoformat(), digit=number % 9 + 1))
        return day

    def through(self, port: int) -> str:
        """The same database behind another port of this machine."""
        parts = urlsplit(self.url)
        user = f"{parts.username}@" if parts.username else ""
        return parts._replace(netloc=f"{user}127.0.0.1:{port}").geturl()


@dataclass
class House:
    """A home, its contracts and its source."""

    settings: Settings
    source: Erp
    stopped: list[KehuError] = field(default_factory=list)

    @property
    def contracts(self) -> list[Contract]:
        return list(contracts_of.read_all(self.settings.contract_dirs, "billing"))

    def at(self, url: str) -> House:
        """The same house, its source behind another address."""
        return replace(self, settings=replace(self.settings, source_urls={"billing": url}))

    def copy(self, home: Path) -> House:
        """The same house in another place."""
        shutil.copytree(self.settings.home, home, symlinks=True)
        return House(replace(self.settings, home=home), self.source)

    def extract(self, run_id: str = "run", day: date = DAY, **more: Any) -> list[Batch]:
        marks = more.pop("watermarks", None)
        return extract_system(
            "billing",
            day=day,
            run_id=run_id,
            watermarks=raw.watermarks("billing", self.settings) if marks is None else marks,
            settings=self.settings,
            **more,
        )

    def gate(self, batches: Iterable[Batch]) -> None:
        require_passed(validate_all(batches, self.settings))

    def load(self, batches: Sequence[Batch], run_id: str = "run") -> list[LoadResult]:
        return raw.load_all(batches, self.settings, run_id)

    def go(self, run_id: str, day: date = DAY, **more: Any) -> dict[str, LoadResult]:
        """Extract, judge, load: one run of the ingest, with its report."""
        try:
            batches = self.extract(run_id, day, **more)
            self.gate(batches)
            results = self.load(batches, run_id)
        except KehuError as error:
            failure = {"what": error.what, "where": error.where, "do": error.do}
            self.report(run_id, day, failure)
            raise
        self.report(run_id, day)
        return {result.table: result for result in results}

    def report(self, run_id: str, day: date, failure: dict[str, str] | None = None) -> Path:
        status = "failed" if failure else "success"
        told = Told("ingest_billing", status, day=day, failure=failure)
        return run_report.of_ingest(self.settings, run_id, told)

    def publish(self, run_id: str, day: date = DAY) -> dict[str, str]:
        """Small marts over raw, published; gives the hash of every published table."""
        given = steps.Given(run_id, day)
        steps.marts(self.settings, given)
        steps.publish(self.settings, given)
        return self.published()

    def published(self) -> dict[str, str]:
        return hashes.table_hashes(self.settings.published_file)

    def state(self, *, history: bool = True) -> dict[str, Any]:
        """What raw holds, without the names of batches and the times of loads.

        Without `history`: what is current, whichever way it came there.
        """
        if not self.settings.work_file.is_file():
            return {}
        found: dict[str, Any] = {}
        with connection.read(self.settings) as con:
            held = con.execute(
                "select table_name, list((column_name, data_type) order by column_name)"
                " from information_schema.columns where table_schema = 'raw' group by 1 order by 1"
            ).fetchall()
            for table, columns in held:
                left_out = {"_batch_id", "_loaded_at"} | (set() if history else {"_day"})
                text = hashes.row_text([c for c in columns if c[0] not in left_out])
                where = "true" if history else "_is_current and not _is_deleted"
                found[table] = con.execute(
                    f"select count(*), md5(coalesce(string_agg(text, '|' order by text), ''))"
                    f" from (select {text} as text from raw.{table} where {where})"
                ).fetchone()
            if not held:
                return {}
            found["watermarks"] = con.execute(
                'select "table", watermark from ops.watermarks order by all'
            ).fetchall()
            if history:
                found["ledger"] = con.execute(
                    'select "table", day, data_sha256, passed_sha256 from ops.ledger order by all'
                ).fetchall()
        return found

    def check(self) -> None:
        """The invariants that need no second house: I1, I2, I3, I6, I7 and I8."""
        with connection.read(self.settings) as con:
            books.check(con)
            for contract in self.contracts:
                table = f"raw.{contract.raw_table}"
                key = contract.key[0]
                assert not con.execute(
                    f"select {key} from {table} group by 1 having count(*) filter (_is_current) > 1"
                ).fetchall(), f"{table}: two current rows of one key"
                money = ", ".join(f"coalesce(sum({name}), 0)" for name in contract.money) or "0"
                mine = con.execute(
                    f"select count(*), {money} from {table} where _is_current and not _is_deleted"
                ).fetchone()
                theirs = self.source.ask(
                    f"select count(*), {money} from billing.{contract.table}"
                    f" where {key} not like 'X%'"
                )[0]
                assert mine is not None
                assert list(map(Decimal, mine)) == list(map(Decimal, theirs)), contract.name
                cursor, mark = con.execute(
                    f"select (select max({contract.cursor}) from {table}),"
                    ' (select watermark from ops.watermarks where "table" = ?)',
                    [contract.table],
                ).fetchone() or (None, None)
                assert mark is None or mark <= cursor, f"{table}: watermark ahead of the rows"
        self.check_nothing_is_left()
        self.check_no_canary()

    def check_nothing_is_left(self) -> None:
        """No hidden file stays after what the next run sweeps, no temporary table, no spill."""
        leftovers.sweep(self.settings.landing / "billing")
        left = [
            path
            for path in self.settings.home.rglob("*")
            if re.match(r"\.(?!publishing)", path.name)
            or (path.is_file() and path.parent.name in ("tmp", "spill", ".new"))
        ]
        assert left == []
        with connection.read(self.settings) as con:
            strange = con.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_schema not in ('raw', 'ops', 'value', 'credit', 'customer')"
            ).fetchall()
        assert strange == []

    def check_no_canary(self) -> None:
        """Of the restricted zone are landing, the working file and backups; nothing else."""
        home = self.settings.home
        open_folders = ("published", "report", "docs", "data-docs")
        for folder in open_folders:
            for path in (home / folder).rglob("*"):
                if path.is_file() and not path.is_symlink():
                    assert CANARY.encode() not in path.read_bytes(), path


def digest(content: object) -> str:
    """A short name for a state, to count different ones."""
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
