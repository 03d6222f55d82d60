"""Runs a Great Expectations suite on Parquet or tables, in SQL on an in-memory DuckDB.

In: a relation (SQL) and a suite. Out: one `Finding` per rule that something breaks, with the
complete list of row numbers. Touches: nothing on disk but DuckDB's spill folder, which is given.

Great Expectations 1.24 has no DuckDB engine. Its SQL engine works on DuckDB through
duckdb-sqlalchemy once it is told two things it cannot know (`_teach_duckdb`): to keep one
connection open, and how DuckDB spells a regular expression. It also cuts its list of failing rows
to 20, so failing rows are read by the query that it gives for them.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import great_expectations as gx  # noqa: TID251 - this is the stage that may
import pyarrow as pa
import sqlalchemy as sa
from great_expectations.execution_engine import (  # noqa: TID251
    sqlalchemy_execution_engine as gx_engine,
)
from great_expectations.expectations.metrics.column_map_metrics import (  # noqa: TID251
    column_values_match_regex,
)

from kehu.errors import ValidationError

ROW_NUMBER = "_row_number"
"""Name of the column that says which row of the file it is, from 1."""

CRITICAL, WARNING = "critical", "warning"
WHOLE = "whole"
"""Mark in the meta of a rule that judges the batch as a whole, not rows of it."""

_COUNTED = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [ROW_NUMBER],
    "partial_unexpected_count": 1,
}
_PLANNING_ERRORS = ("Binder Error", "Catalog Error", "Parser Error")
"""Errors of DuckDB that name columns and SQL, never a cell: their text may be shown."""


@dataclass(frozen=True)
class Finding:
    """A rule that was broken: by the rows in `rows`, or, when None, by the relation as a whole."""

    rule: str
    severity: str
    rows: pa.Array[Any] | None

    @property
    def is_critical(self) -> bool:
        return self.severity == CRITICAL


class _DialectName(str):
    """Great Expectations compares its dialect names as text and asks them for `value`."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)


class ExpectQueryToReturnNoRows(gx.expectations.UnexpectedRowsExpectation):  # type: ignore[misc]
    """A rule in SQL: it is broken when `unexpected_rows_query` gives a row.

    Great Expectations' own class runs the query twice, once to count rows and once to read some of
    them into its result. Here it is counted only: half the work, and no cell enters a result. Which
    rows they are `Engine` asks when there are any.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> Any:
        counted = {**metrics, "unexpected_rows_query.table": []}
        return super()._validate(counted, runtime_configuration, execution_engine)


@cache
def _teach_duckdb() -> None:
    """Add to Great Expectations' SQL engine what DuckDB needs.

    Without the first, it closes the connection before it reads the rows and every expectation
    fails; without the second, no regular expression is supported.
    """
    dialects = gx_engine._PERSISTED_CONNECTION_DIALECTS
    gx_engine._PERSISTED_CONNECTION_DIALECTS = (*dialects, _DialectName("duckdb"))

    # It sets this logger by itself while it is imported.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

    shipped: Callable[..., Any] = column_values_match_regex.get_dialect_regex_expression

    def expression(column: Any, regex: str, dialect: Any, positive: bool = True) -> Any:
        if "duckdb" not in str(getattr(dialect, "__name__", dialect)):
            return shipped(column, regex, dialect, positive)
        matches = sa.func.regexp_matches(column, sa.literal(regex))
        return matches if positive else sa.not_(matches)

    column_values_match_regex.get_dialect_regex_expression = expression


class Engine:
    """One in-memory DuckDB with Great Expectations on it; made once per process by `shared`."""

    _names = itertools.count(1)

    def __init__(self, spill: Path | None = None) -> None:
        _teach_duckdb()
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        number = next(self._names)
        # A named in-memory database is shared by all connections of this engine. Every statement
        # commits by itself: in one long transaction a later batch would not be seen.
        self._source = self._context.data_sources.add_sql(
            name=f"kehu{number}",
            connection_string=f"duckdb:///:memory:kehu{number}",
            kwargs={"isolation_level": "AUTOCOMMIT"},
        )
        self._connection = self._source.get_engine().raw_connection()
        self._duckdb = self._connection.driver_connection
        self.result: Mapping[str, Any] = {}
        """What Great Expectations said in the last check, as JSON; it holds no value of a cell."""
        self.execute("set autoinstall_known_extensions = false")
        if spill is not None:
            self.execute(f"set temp_directory = '{quoted(spill)}'")

    def execute(self, sql: str) -> None:
        self._duckdb.execute(sql)

    def fetch(self, sql: str) -> pa.Table:
        table: pa.Table = self._duckdb.execute(sql).to_arrow_table()
        return table

    def close(self) -> None:
        self._connection.close()
        self._source.get_engine().dispose()

    def check(
        self, relation: str, rules: Iterable[Any], where: str, *, find_rows: bool = True
    ) -> list[Finding]:
        """Run the expectations `rules` on `relation` (a query); say which ones are broken.

        Each rule carries its name in `meta["rule"]`. Rules about rows find them through the
        column `_row_number`, which the relation must have; with `find_rows` false only yes or no
        is asked. Raises `ValidationError` when a rule could not be run: what was not checked has
        not passed.
        """
        view = f"checked_{next(self._names)}"
        self.execute(f"create view {view} as {relation}")
        try:
            return self._findings(view, list(rules), where, find_rows)
        finally:
            self.execute(f"drop view {view}")

    def _findings(self, view: str, rules: list[Any], where: str, find_rows: bool) -> list[Finding]:
        by_name = {name_of(rule): rule for rule in rules}
        if len(by_name) != len(rules):
            raise ValidationError(
                "Two rules of the suite have one name.",
                where=f"{where}: {', '.join(sorted(name_of(rule) for rule in rules))}",
                do="give each expectation a meta['rule'] of its own",
            )
        asset = self._source.add_table_asset(name=view, table_name=view)
        try:
            batch = asset.add_batch_definition_whole_table("whole").get_batch()
            # First only yes or no: one pass over the data, and no value enters a result.
            boolean_only = {"result_format": "BOOLEAN_ONLY"}
            verdicts, result = self._validate(batch, by_name, boolean_only, where)
            self.result = result.to_json_dict()
            broken = {name: by_name[name] for name, verdict in verdicts.items() if not verdict[0]}
            lists = {name: rule for name, rule in broken.items() if find_rows and _by_column(rule)}
            details = self._validate(batch, lists, _COUNTED, where)[0] if lists else {}
        finally:
            self._source.delete_asset(view)
        return [
            Finding(
                rule=name,
                severity=str(rule.severity.value),
                rows=self._rows(view, rule, details.get(name, (False, {}))[1])
                if find_rows
                else None,
            )
            for name, rule in broken.items()
        ]

    def _rows(self, view: str, rule: Any, detail: Mapping[str, Any]) -> pa.Array[Any] | None:
        """Numbers of all rows that break the rule, by the query that finds them."""
        if rule.meta.get(WHOLE):
            return None
        if isinstance(rule, ExpectQueryToReturnNoRows):
            query = str(rule.unexpected_rows_query).format(batch=view)
        elif "unexpected_index_query" in detail:
            query = str(detail["unexpected_index_query"]).rstrip().rstrip(";")
        else:
            return None
        found = self.fetch(
            f"select distinct cast({ROW_NUMBER} as bigint) as {ROW_NUMBER}"
            f" from ({query}) order by {ROW_NUMBER}"
        )
        return found.column(ROW_NUMBER).combine_chunks()

    @staticmethod
    def _validate(
        batch: Any, rules: Mapping[str, Any], result_format: Mapping[str, Any], where: str
    ) -> tuple[dict[str, tuple[bool, Mapping[str, Any]]], Any]:
        """Per rule whether it was kept, with details; and the whole result."""
        suite = gx.ExpectationSuite(name=where, expectations=list(rules.values()))
        result = batch.validate(suite, result_format=dict(result_format))
        verdicts: dict[str, tuple[bool, Mapping[str, Any]]] = {}
        for entry in result.results:
            name = str(entry.expectation_config.meta["rule"])
            if failure := _failure(entry.exception_info):
                raise ValidationError(
                    f"The rule {name} could not be checked: {failure}",
                    where=where,
                    do="correct the rule or the contract; nothing was decided about the rows",
                )
            verdicts[name] = (bool(entry.success), entry.result)
        if missing := rules.keys() - verdicts.keys():
            raise ValidationError(
                f"Great Expectations gave no result for {', '.join(sorted(missing))}.",
                where=where,
                do="correct these rules; nothing was decided about the rows",
            )
        return verdicts, result


def name_of(rule: Any) -> str:
    """The name under which a rule reports."""
    return str(rule.meta["rule"])


def quoted(path: Path | str) -> str:
    """A path as the inside of an SQL literal."""
    return str(path).replace("'", "''")


def rows_of(parquet: Path) -> str:
    """The relation of a Parquet file's rows, numbered from 1."""
    return (
        f"select *, cast(file_row_number + 1 as bigint) as {ROW_NUMBER}"
        f" from read_parquet('{quoted(parquet)}', file_row_number = true)"
    )


@cache
def shared(spill: Path) -> Engine:
    """The engine of this process; what does not fit into memory goes into the folder `spill`."""
    return Engine(spill)


def _by_column(rule: Any) -> bool:
    """Whether the rule is about the cells of a column: then there is a query for failing rows."""
    return hasattr(rule, "mostly")


def _failure(info: Any) -> str:
    """Why an expectation raised, without a cell's value; empty when it did not raise."""
    if not info:
        return ""
    entries = [info] if "raised_exception" in info else list(info.values())
    messages = [str(e.get("exception_message")) for e in entries if e.get("raised_exception")]
    if not messages:
        return ""
    first = messages[0].split("\n")[0]
    return first if any(kind in first for kind in _PLANNING_ERRORS) else "it raised an error"
