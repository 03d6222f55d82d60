"""Metrics and scores built day by day equal one full build; a late correction is restated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from tests.dbt_project import made_up_facts
from tests.dbt_project.conftest import LAYERS
from tests.dbt_project.scratch_warehouse import ScratchWarehouse

DAYS: tuple[tuple[str, ...], ...] = (
    # what a run on each day asks for: month ends and the day itself
    ("2025-11-30", "2025-12-31", "2026-01-15"),
    ("2025-11-30", "2025-12-31", "2026-01-16"),
    ("2025-12-31", "2026-01-31", "2026-02-03"),
)
NO_TESTS = ("--exclude", "resource_type:test")
TOLD = (*NO_TESTS, "--select", "metrics", "schemes", "metric_restatements")
KEPT = (
    *("int_told_metrics", "metric_restatements", "int_changed_buckets"),
    *("int_stale_buckets", "int_stale_debts", "int_stale_purchases", "int_step_dates"),
    *("int_loss_dates", "int_sample_dates", "int_warning_dates"),
    *("int_score_dates", "int_credit_dates", "int_value_dates", "int_history_dates"),
)
"""What tells of a build, not of the facts."""
PARTIAL = (
    "int_customer_dates",
    "int_purchase_sets",
    "int_purchase_days",
    "int_receivable_changes",
    "int_metrics_",
    "int_scheme_places",
    "int_scorecard_",
)
"""Steps that hold only what a build tells again."""


def _warehouse(folder: Path) -> ScratchWarehouse:
    warehouse = ScratchWarehouse.make(folder, LAYERS, made_up_facts.stand_ins())
    warehouse.execute(*made_up_facts.statements(made_up_facts.draw()))
    return warehouse


def _arrive(warehouse: ScratchWarehouse, source: str, day: str) -> None:
    """The facts as they were known on `day`."""
    warehouse.execute(
        f"attach '{source}' as whole (read_only)",
        *(
            f"create or replace table facts.{table} as"
            f" {made_up_facts.known(table, day, f'whole.facts.{table}')}"
            for table in made_up_facts.COLUMNS
        ),
    )


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScratchWarehouse, ScratchWarehouse]:
    """One warehouse built on three days, and one built once on the last."""
    folder = tmp_path_factory.mktemp("daily")
    source = _warehouse(folder / "source").folder / "work.duckdb"
    step_by_step, at_once = _warehouse(folder / "steps"), _warehouse(folder / "once")
    for dates in DAYS:
        _arrive(step_by_step, str(source), dates[-1])
        step_by_step.build(*NO_TESTS, as_of_dates=dates)
    _arrive(at_once, str(source), DAYS[-1][-1])
    at_once.build(*NO_TESTS, as_of_dates=DAYS[-1])
    return step_by_step, at_once


def _tables(warehouse: ScratchWarehouse) -> list[str]:
    return [
        f"{schema}.{table}"
        for schema, table in warehouse.query(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema in ('value', 'credit', 'customer') order by all"
        )
        if table not in KEPT and not table.startswith(PARTIAL)
    ]


def _differences(
    warehouse: ScratchWarehouse, other: ScratchWarehouse, tables: Sequence[str]
) -> dict[str, int]:
    """Table to the number of rows that only one of both has."""
    found = {}
    with (
        duckdb.connect(str(warehouse.folder / "work.duckdb")) as ours,
        duckdb.connect(str(other.folder / "work.duckdb"), read_only=True) as theirs,
    ):
        for table in tables:
            columns = ", ".join(ours.sql(f"select * from {table} limit 0").columns)
            # not by attaching the other file: a view would read the tables of this one
            rows = theirs.sql(f"select {columns} from {table}").to_arrow_table()
            ours.register("their_rows", rows)
            mine = f"select {columns} from {table}"
            ((count,),) = ours.sql(
                f"select count(*) from (({mine} except all from their_rows)"
                f" union all (from their_rows except all {mine}))"
            ).fetchall()
            if count:
                found[table] = count
    return found


def test_day_by_day_equals_all_at_once(
    daily: tuple[ScratchWarehouse, ScratchWarehouse],
) -> None:
    step_by_step, at_once = daily
    tables = _tables(at_once)
    assert len(tables) > 25
    assert _tables(step_by_step) == tables
    assert _differences(step_by_step, at_once, tables) == {}


def test_only_dates_asked_for_are_kept(daily: tuple[ScratchWarehouse, ScratchWarehouse]) -> None:
    for table in ("customer_metrics", "scores", "score_details"):
        dates = daily[0].query(f"select distinct as_of_date::varchar from value.{table} order by 1")
        assert [day for (day,) in dates] == list(DAYS[-1])


def test_nothing_new_is_told_again(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    again = daily[0].copy(tmp_path / "again")
    again.build(*TOLD, as_of_dates=DAYS[-1])
    assert again.query("select count(*) from value.int_stale_buckets") == [(0,)]
    assert _differences(again, daily[1], ["value.customer_metrics", "value.scores"]) == {}


@pytest.fixture(scope="module")
def corrected(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path_factory: pytest.TempPathFactory
) -> tuple[ScratchWarehouse, str]:
    """A purchase of early January 2026 turns out to be dearer; its customer."""
    warehouse = daily[0].copy(tmp_path_factory.mktemp("corrected") / "warehouse")
    ((customer, key),) = warehouse.query(
        "select customer_id, transaction_key from facts.fct_transactions where quantity > 0"
        " and transaction_kind = 'sale' and transaction_date between '2026-01-01' and '2026-01-31'"
        " order by 2 limit 1"
    )
    warehouse.execute(
        "update facts.fct_transactions set gross_amount = gross_amount + 1000"
        f" where transaction_key = '{key}'"
    )
    warehouse.build(*TOLD, as_of_dates=DAYS[-1])
    return warehouse, customer


def test_a_correction_tells_again_only_the_dates_after_it(
    corrected: tuple[ScratchWarehouse, str],
) -> None:
    warehouse, customer = corrected
    told = warehouse.query(
        "select as_of_date::varchar, bucket from value.int_stale_buckets order by 1"
    )
    assert told == [(day, customer[-3:]) for day in ("2026-01-31", "2026-02-03")]


def test_a_correction_is_restated_and_listed(corrected: tuple[ScratchWarehouse, str]) -> None:
    warehouse, _ = corrected
    listed = warehouse.query(
        "select as_of_date::varchar, customers_changed, customers_added, customers_removed,"
        " cast(monetary_12m_change as double), told_on::varchar, restatement_no"
        " from value.metric_restatements order by 1"
    )
    assert listed == [
        ("2026-01-31", 1, 0, 0, 1000.0, "2026-02-03", 1),
        ("2026-02-03", 1, 0, 0, 1000.0, "2026-02-03", 1),
    ]


def test_credit_tables_are_told_again_for_the_dates_of_a_correction(
    corrected: tuple[ScratchWarehouse, str],
    daily: tuple[ScratchWarehouse, ScratchWarehouse],
    tmp_path: Path,
) -> None:
    """The build of the correction broke off before credit: the next one must not forget it."""
    warehouse = corrected[0].copy(tmp_path / "warehouse")
    told = "select as_of_date::varchar from value.int_credit_dates order by 1"
    dates = [("2026-01-31",), ("2026-02-03",)]
    assert warehouse.query(told) == dates
    warehouse.build(*NO_TESTS, as_of_dates=DAYS[-1])
    assert warehouse.query(told) == dates
    tables = [table for table in _tables(warehouse) if table.startswith("credit.")]
    assert "credit.collection_abc" in _differences(warehouse, daily[1], tables)
    fresh = warehouse.copy(tmp_path / "fresh")
    fresh.build("--full-refresh", *NO_TESTS, as_of_dates=DAYS[-1])
    assert fresh.query("select count(*) from value.int_credit_dates") == [(3,)]
    assert _differences(fresh, warehouse, tables) == {}
    warehouse.build(*NO_TESTS, as_of_dates=DAYS[-1])
    assert warehouse.query(told) == []
    assert _differences(fresh, warehouse, tables) == {}


def test_a_corrected_debt_is_told_again_from_its_month_on(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    warehouse = daily[0].copy(tmp_path / "warehouse")
    ((customer, key),) = warehouse.query(
        "select customer_id, receivable_key from value.int_debt_buckets"
        " inner join facts.fct_receivables using (customer_id, receivable_key)"
        " where as_of_date = '2026-01-31' and issued_date >= '2026-01-01' order by 2 limit 1"
    )
    warehouse.execute(
        f"update facts.fct_receivables set amount = amount + 1000 where receivable_key = '{key}'"
    )
    marked = warehouse.copy(tmp_path / "marked")
    marked.execute(
        "update value.int_debt_buckets set bucket = 'marked'",
        "update value.int_receivable_states set currency_code = 'marked'",
        "update value.int_receivable_books set currency_code = 'marked'",
    )
    marked.build(*NO_TESTS, "--select", "metrics", as_of_dates=DAYS[-1])
    assert marked.query(
        "select distinct as_of_date::varchar, customer_id from value.int_debt_buckets"
        " where bucket <> 'marked' order by 1"
    ) == [(day, customer) for day in ("2026-01-31", "2026-02-03")]
    moved_since = (
        "from value.int_receivable_movements"
        f" where customer_id = '{customer}' and movement_date >= '2026-01-01'"
    )
    told_again = f"where customer_id = '{customer}' and currency_code <> 'marked'"
    for table, rows in (
        ("int_receivable_states", "receivable_key"),
        ("int_receivable_books", "month"),
    ):
        told = marked.query(f"select distinct {rows} from value.{table} {told_again} order by 1")
        now = rows.replace("month", "date_trunc('month', movement_date)::date")
        assert told == marked.query(f"select distinct {now} {moved_since} order by 1"), table
        (marks,) = marked.query(
            "select count(*) filter (where currency_code = 'marked'),"
            f" count(*) filter (where customer_id <> '{customer}' and currency_code <> 'marked')"
            f" from value.{table}"
        )
        assert marks[0] > 0
        assert marks[1] == 0, table


CORRECTIONS = {
    "gone": "delete from facts.fct_receivables where receivable_key = '{}'",
    "another debtor's": (
        "update facts.fct_receivables set customer_id = (select max(customer_id)"
        " from facts.fct_receivables) where receivable_key = '{}'"
    ),
    "issued earlier": (
        "update facts.fct_receivables set issued_date = issued_date - 40"
        " where receivable_key = '{}'"
    ),
    "due later": (
        "update facts.fct_receivables set due_date = due_date + 30 where receivable_key = '{}'"
    ),
    "less, adjusted on its first day to the same": (
        "update facts.fct_receivables set amount = amount - 1 where receivable_key = '{0}';"
        " insert into facts.fct_receivable_events by name"
        " select 'adjusted' as receivable_event_key, receivable_key, customer_id,"
        " 'adjusted' as event_type, issued_date as event_date, 1 as amount"
        " from facts.fct_receivables where receivable_key = '{0}'"
    ),
}
"""What turns out of a debt: a statement on its key."""


def test_corrected_debts_told_again_equal_all_told_anew(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    warehouse = daily[0].copy(tmp_path / "warehouse")
    keys = warehouse.query(
        "select receivable_key from facts.fct_receivables where customer_id is not null"
        " and issued_date between '2025-09-01' and '2026-01-10' order by hash(receivable_key)"
        f" limit {len(CORRECTIONS)}"
    )
    for statement, (key,) in zip(CORRECTIONS.values(), keys, strict=True):
        warehouse.execute(statement.format(key))
    fresh = warehouse.copy(tmp_path / "fresh")
    credit = (*NO_TESTS, "--select", "metrics", "schemes", "credit")
    warehouse.build(*credit, as_of_dates=DAYS[-1])
    fresh.build("--full-refresh", *credit, as_of_dates=DAYS[-1])
    tables = [table for table in _tables(fresh) if table.startswith("credit.")]
    tables += ["value.int_debt_buckets", "value.int_receivable_states", "value.int_roll_steps"]
    changed = _differences(fresh, daily[1], tables)
    assert {"credit.receivable_books", "credit.expected_loss"} <= changed.keys()
    assert _differences(fresh, warehouse, tables) == {}


def test_debts_whose_first_build_broke_off_are_told_again(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    """Movements stood, states not yet, and a debt is dearer by the next build."""
    warehouse = daily[0].copy(tmp_path / "warehouse")
    warehouse.execute(
        "drop table value.int_receivable_states",
        "drop table value.int_told_fingerprints",
        "update facts.fct_receivables set amount = amount + 1000 where receivable_key ="
        " (select min(receivable_key) from value.int_receivable_movements)",
    )
    fresh = warehouse.copy(tmp_path / "fresh")
    debts = ("int_fact_fingerprints", "int_changed_buckets", "int_stale_debts")
    debts += ("int_receivable_changes", "int_receivable_movements", "int_receivable_states")
    warehouse.build(*NO_TESTS, "--select", *debts, as_of_dates=DAYS[-1])
    fresh.build("--full-refresh", *NO_TESTS, "--select", *debts, as_of_dates=DAYS[-1])
    tables = ["value.int_receivable_movements", "value.int_receivable_states"]
    assert set(_differences(fresh, daily[1], tables)) == set(tables)
    assert _differences(fresh, warehouse, tables) == {}


OTHERWISE = {
    "dearer": "set gross_amount = gross_amount + 10",
    "another buyer's": "set customer_id = (select max(customer_id) from facts.fct_transactions)",
    "made earlier": "set transaction_date = transaction_date - 100",
    "made later": "set transaction_date = date '2026-01-12'",
    "of another class": "set product_class = 'of another class'",
    "of an older document": "set document_no = (select min_by(older.document_no,"
    " older.transaction_date) from facts.fct_transactions as older"
    " where older.customer_id = facts.fct_transactions.customer_id"
    " and older.source_system = facts.fct_transactions.source_system)",
    "cancelled since": "set cancelled_date = date '2026-01-20'",
    "not cancelled after all": "set cancelled_date = null",
    "never made": "set quantity = 0",
}
"""What turns out of a purchase."""


@pytest.fixture(scope="module")
def other_purchases(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path_factory: pytest.TempPathFactory
) -> tuple[ScratchWarehouse, ScratchWarehouse]:
    """Old purchases are others now, one for each way: not told yet, and told anew."""
    warehouse = daily[0].copy(tmp_path_factory.mktemp("purchases") / "warehouse")
    keys = warehouse.query(
        "select min(transaction_key) from facts.fct_transactions where transaction_kind = 'sale'"
        " and quantity > 0 and gross_amount > 0 and product_class is not null"
        " and customer_id is not null and cancelled_date is null"
        " and transaction_date between '2025-06-01' and '2025-11-30'"
        f" group by customer_id order by 1 limit {len(OTHERWISE)}"
    )
    of_way = {way: key for way, (key,) in zip(OTHERWISE, keys, strict=True)}
    one = "transaction_key = '{}'"
    gone = one.format(of_way["never made"])
    warehouse.execute(
        "update facts.fct_transactions set cancelled_date = date '2025-12-28' where "
        + one.format(of_way["not cancelled after all"]),
        # of its customer nothing is known of that month and later but this purchase
        f"delete from facts.fct_transactions using facts.fct_transactions as gone"
        f" where gone.{gone} and fct_transactions.customer_id = gone.customer_id"
        " and fct_transactions.transaction_date >= date_trunc('month', gone.transaction_date)"
        f" and not fct_transactions.{gone}",
    )
    warehouse.build(*TOLD, as_of_dates=DAYS[-1])
    for way, correction in OTHERWISE.items():
        changed = warehouse.query(
            f"update facts.fct_transactions {correction} where {one.format(of_way[way])}"
            " returning 1"
        )
        assert changed == [(1,)], way
    fresh = warehouse.copy(tmp_path_factory.mktemp("purchases") / "fresh")
    fresh.build("--full-refresh", *NO_TESTS, "--select", "metrics", as_of_dates=DAYS[-1])
    return warehouse, fresh


OF_PURCHASES = [
    "value.int_told_cancellations",
    "(select * from value.int_purchase_days where as_of_date is null)",
    "value.int_customer_months",
    "value.customer_metrics",
]


def test_purchases_told_again_equal_all_told_anew(
    other_purchases: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    warehouse = other_purchases[0].copy(tmp_path / "warehouse")
    before = dict.fromkeys(OF_PURCHASES, 0) | _differences(
        other_purchases[1], warehouse, OF_PURCHASES
    )
    assert min(before.values()) > 0
    warehouse.build(*NO_TESTS, "--select", "metrics", as_of_dates=DAYS[-1])
    assert _differences(other_purchases[1], warehouse, OF_PURCHASES) == {}


def test_a_build_that_broke_off_after_the_purchases_is_made_good(
    other_purchases: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    warehouse = other_purchases[0].copy(tmp_path / "warehouse")
    warehouse.build(*NO_TESTS, "--select", "+int_purchase_days", as_of_dates=DAYS[-1])
    warehouse.build(*NO_TESTS, "--select", "metrics", as_of_dates=DAYS[-1])
    assert _differences(other_purchases[1], warehouse, OF_PURCHASES) == {}


def test_purchases_of_customers_of_whom_nothing_changed_stay(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    warehouse = daily[0].copy(tmp_path / "warehouse")
    ((customer, day),) = warehouse.query(
        "select customer_id, transaction_date::varchar from facts.fct_transactions"
        " where transaction_kind = 'sale' and quantity > 0 and customer_id is not null"
        " order by 2 desc, 1 limit 1"
    )
    warehouse.execute(
        "update facts.fct_transactions set gross_amount = gross_amount + 10"
        f" where customer_id = '{customer}' and transaction_date = '{day}' and quantity > 0",
        "update value.int_purchase_days set last_system = 'marked'",
    )
    warehouse.build(*NO_TESTS, "--select", "metrics", as_of_dates=DAYS[-1])
    assert warehouse.query(
        "select distinct customer_id from value.int_purchase_days"
        " where last_system <> 'marked' and as_of_date is null"
    ) == [(customer,)]


def test_a_day_comes_into_the_sample_when_its_months_are_known(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    """And is told again when debts of these months turn out to be paid."""
    warehouse = daily[0].copy(tmp_path / "warehouse")
    sample = (*NO_TESTS, "--select", "+int_told_sample")
    # whoever owed for long is in default already
    warehouse.execute("delete from facts.fct_receivables where issued_date < '2024-10-01'")
    warehouse.build(*sample, as_of_dates=("2024-11-30", "2024-12-31", "2025-12-31"))
    mark = "update credit.scorecard_sample set usage_category = 'marked'"
    marked = (
        "select as_of_date::varchar, bool_and(usage_category is not distinct from 'marked')"
        " from credit.scorecard_sample group by 1 order by 1"
    )
    assert warehouse.query(marked) == [("2024-11-30", False), ("2024-12-31", False)]

    warehouse.execute(mark)
    days = ("2024-12-31", "2025-01-31", "2025-12-31", "2026-01-31")
    warehouse.build(*sample, as_of_dates=days)
    assert warehouse.query(marked) == [("2024-12-31", True), ("2025-01-31", False)]

    warehouse.execute(mark)
    defaults = "select count(*) filter (where is_default) from credit.scorecard_sample"
    ((before,),) = warehouse.query(defaults)
    warehouse.execute(
        "insert into facts.fct_receipts by name select 'late ' || receivable_key as receipt_key,"
        " receivable_key, customer_id, amount, currency_code, due_date as paid_date,"
        " due_date as settled_date from facts.fct_receivables where due_date >= '2025-02-01'"
    )
    warehouse.build(*sample, as_of_dates=days)
    assert warehouse.query(marked) == [("2024-12-31", False), ("2025-01-31", False)]
    ((after,),) = warehouse.query(defaults)
    assert after < before
    fresh = warehouse.copy(tmp_path / "fresh")
    fresh.build("--full-refresh", *sample, as_of_dates=days)
    assert _differences(fresh, warehouse, ["credit.scorecard_sample"]) == {}


BY_DATE = ("class_transitions", "customer_cube", "value_pyramid")
"""Value tables by date that have rows of the made-up customers."""


def test_value_tables_are_rewritten_only_where_something_changed(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    """What was told is marked: the mark goes from dates that a late purchase changes, and stays."""
    warehouse = daily[0].copy(tmp_path / "warehouse")
    value = (*NO_TESTS, "--select", "metrics", "schemes", "value")
    marks = [f"update value.{table} set currency_code = 'marked'" for table in BY_DATE]
    warehouse.execute(
        "insert into facts.fct_transactions select * replace ('late' as transaction_key,"
        " 'late' as document_no, date '2026-02-02' as transaction_date)"
        " from facts.fct_transactions where transaction_kind = 'sale' and quantity > 0"
        " order by gross_amount desc, transaction_key limit 1",
        *marks,
        "update value.class_history set class_rank = -1",
    )
    warehouse.build(*value, as_of_dates=DAYS[-1])
    for table in BY_DATE:
        rows = warehouse.query(
            "select distinct as_of_date::varchar, currency_code = 'marked'"
            f" from value.{table} order by 1"
        )
        # no month is known before the first
        first = [] if table == "class_transitions" else [("2025-12-31", True)]
        assert rows == [*first, ("2026-01-31", True), ("2026-02-03", False)], table
    begun_before = (
        "select scheme, customer_id, valid_from, valid_to, class_rank = -1"
        " from value.class_history where valid_from < '2026-02-03'"
    )
    stood = {tuple(period) for *period, _ in daily[0].query(begun_before)}
    periods = warehouse.query(begun_before)
    assert all(marked == (tuple(period) in stood) for *period, marked in periods)
    assert 0 < sum(marked for *_, marked in periods) < len(periods)
    assert warehouse.query(
        "select distinct class_rank = -1 from value.class_history where valid_from = '2026-02-03'"
    ) == [(False,)]

    fresh = daily[0].copy(tmp_path / "fresh")
    fresh.execute(
        f"attach '{warehouse.folder / 'work.duckdb'}' as other (read_only)",
        "create or replace table facts.fct_transactions as"
        " select * from other.facts.fct_transactions",
    )
    fresh.build("--full-refresh", *value, as_of_dates=DAYS[-1])
    periods_of = "select scheme, customer_id, class_code, valid_from, valid_to"
    everything = f"{periods_of} from value.class_history order by all"
    assert warehouse.query(everything) == fresh.query(everything)

    warehouse.execute(*marks)
    warehouse.build(*value, as_of_dates=DAYS[-1])
    for table in BY_DATE:
        told = warehouse.query(f"select distinct currency_code from value.{table}")
        assert told == [("marked",)], table
    assert warehouse.query(everything) == fresh.query(everything)


def test_a_period_goes_on_whose_end_is_taken_back(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    """On the last day some had another class; the day is told again, and they have the old one."""
    warehouse = daily[0].copy(tmp_path / "warehouse")
    everything = "select * from value.class_history order by all"
    before = warehouse.query(everything)
    ended = "scheme = 'rfm' and valid_from < '2026-02-03' and valid_to is null"
    assert warehouse.query(f"select count(*) > 0 from value.class_history where {ended}") == [
        (True,)
    ]
    warehouse.execute(
        "insert into value.class_history select * replace ('other' as class_code,"
        f" '2026-02-03' as valid_from) from value.class_history where {ended}",
        f"update value.class_history set valid_to = '2026-02-03' where {ended}",
        "update value.int_told_value set facts = 0 where as_of_date = '2026-02-03'",
    )
    value = (*NO_TESTS, "--select", "metrics", "schemes", "value")
    warehouse.build(*value, as_of_dates=DAYS[-1])
    assert warehouse.query(everything) == before


def test_warnings_are_told_again_that_were_on_when_something_changed(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    """The last day is told again: what closed before stands, all else is as it was."""
    warehouse = daily[0].copy(tmp_path / "warehouse")
    columns = "* exclude (warning_reason)"
    warehouse.execute(
        "insert into credit.arrears_warnings select * replace ('closed' as warning_id,"
        " date '2025-12-31' as raised_date, date '2025-12-31' as last_seen_date,"
        " date '2026-01-31' as closed_date, 'paid' as closing_cause)"
        " from credit.arrears_warnings limit 1"
    )
    before = warehouse.query(f"select {columns} from credit.arrears_warnings order by warning_id")
    warehouse.execute(
        "update credit.arrears_warnings set warning_reason = 'marked'",
        "update credit.arrears_warnings set highest_rank = 99, balance_amount = 0"
        " where last_seen_date = '2026-02-03'",
        "insert into credit.arrears_warnings select * replace ('too much' as warning_id,"
        " date '2026-02-03' as raised_date) from credit.arrears_warnings limit 1",
        "update value.int_told_credit set facts = 0 where as_of_date = '2026-02-03'",
    )
    warehouse.build(*NO_TESTS, "--select", "schemes", "credit", as_of_dates=DAYS[-1])
    assert (
        warehouse.query(f"select {columns} from credit.arrears_warnings order by warning_id")
        == before
    )
    stood = warehouse.query(
        "select last_seen_date < '2026-01-31' as closed_before,"
        " bool_and(warning_reason = 'marked') from credit.arrears_warnings group by 1 order by 1"
    )
    assert stood == [(False, False), (True, True)]


def test_a_full_refresh_gives_the_same_rows(
    corrected: tuple[ScratchWarehouse, str], tmp_path: Path
) -> None:
    warehouse, _ = corrected
    fresh = warehouse.copy(tmp_path / "fresh")
    fresh.build("--full-refresh", *TOLD, as_of_dates=DAYS[-1])
    tables = ["value.customer_metrics", "value.scores", "value.score_details"]
    assert _differences(fresh, warehouse, tables) == {}
    assert fresh.query("select count(*) from value.metric_restatements") == [(2,)], "history stays"


def test_a_changed_weight_scores_every_date_again(
    daily: tuple[ScratchWarehouse, ScratchWarehouse], tmp_path: Path
) -> None:
    warehouse = daily[0].copy(tmp_path / "weights")
    path = warehouse.folder / "seeds" / "schemes" / "scheme_indicators.csv"
    text = path.read_text(encoding="utf-8")
    for old, new in (
        ("transaction_amount,current,monetary_12m,more_is_better,25,", "30"),
        ("loyalty,potential,loyalty_score,more_is_better,15,", "10"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, old.rsplit(",", 2)[0] + f",{new},")
    path.write_text(text, encoding="utf-8")
    warehouse.build(*NO_TESTS, "--select", "resource_type:seed", "metrics", "schemes",
                    as_of_dates=DAYS[-1])  # fmt: skip
    assert warehouse.query("select count(*) from value.int_stale_buckets") == [(0,)]
    assert warehouse.query("select count(*) from value.int_score_dates") == [(3,)]
    found = _differences(warehouse, daily[1], ["value.customer_metrics", "value.scores"])
    assert found.keys() == {"value.scores"}
