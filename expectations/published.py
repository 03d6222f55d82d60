"""The last gate: looks at a file that is about to be published, as a reader will see it.

In: the path of a complete DuckDB file that nobody has open. Out: nothing, or a `ValidationError`
that names every table and rule. Touches nothing: the file is attached read-only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations import gate
from kehu import settings as kehu_settings
from kehu.errors import ValidationError

if TYPE_CHECKING:
    from expectations.engine import Engine


def audit(path: Path) -> None:
    """Check the tables readers rely on; raise when one breaks its promise.

    Names of tables and rules only: the message is shown where the data must not be.
    """
    # Great Expectations takes seconds to import: only when there is something to check.
    from expectations.engine import Engine, quoted

    spill = path.with_name(f".{path.name}.spill")
    engine = Engine(spill)
    try:
        engine.execute(f"attach '{quoted(path)}' as published (read_only)")
        broken = _broken(engine)
    finally:
        engine.close()
    if broken:
        raise ValidationError(
            "\n    - ".join(["The file must not be published:", *broken]),
            where=str(path),
            do="correct the models or seeds named and build again; readers keep the last"
            " publication",
        )


def _broken(engine: Engine) -> list[str]:
    from expectations.suites import published as suite

    settings = kehu_settings.load()
    seeds = settings.dbt_project / "seeds" / "schemes"
    columns = _columns(engine)
    promised = {promise.table: promise for promise in suite.PROMISED}
    broken = [f"{table}: is missing" for table in promised if table not in columns]
    for table, promise in promised.items():
        if table not in columns:
            continue
        missing = [name for name in promise.columns if name not in columns[table]]
        if missing:
            broken.append(f"{table}: columns (without {', '.join(missing)})")
        else:
            found = engine.check(
                _select(table), suite.rules(promise, seeds), table, find_rows=False
            )
            broken += [f"{table}: {finding.rule}" for finding in found if finding.is_critical]
    for table in sorted(_marts(columns) - promised.keys()):
        if "customer_id" in columns[table]:
            rules = [suite.customer_is_known()]
            found = engine.check(_select(table), rules, table, find_rows=False)
            broken += [f"{table}: {finding.rule}" for finding in found]
    return [*broken, *_other_runs(engine, columns), *_private_columns(engine, columns)]


def _other_runs(engine: Engine, columns: Mapping[str, list[str]]) -> Iterable[str]:
    """Marts without a run id, or with rows of another run than the others."""
    from expectations.suites import published as suite

    marts = sorted(_marts(columns))
    with_run = [table for table in marts if "run_id" in columns[table]]
    yield from (f"{table}: run_id is missing" for table in marts if table not in with_run)
    if with_run:
        runs = " union all ".join(
            f"select distinct '{table}' as name, run_id from published.{_quoted(table)}"
            for table in with_run
        )
        yield from _tables_breaking(engine, suite.one_run(), runs, "name, run_id")


def _private_columns(engine: Engine, columns: Mapping[str, list[str]]) -> Iterable[str]:
    from expectations.suites import published as suite

    contracts = gate.known_contracts(kehu_settings.load().contract_dirs)
    rule = suite.no_private_column(contracts.values())
    names = ", ".join(
        f"('{table}', '{column}')" for table, listed in columns.items() for column in listed
    )
    relation = f"from (values {names}) as found(name, column_name)"
    return _tables_breaking(engine, rule, relation, "name, column_name")


def _tables_breaking(engine: Engine, rule: Any, relation: str, order: str) -> list[str]:
    """Run a rule on a small relation whose column `name` says the table; name those tables."""
    numbered = f"select row_number() over (order by {order}) as _row_number, * from ({relation})"
    names = engine.fetch(f"select name from ({numbered}) order by _row_number").column("name")
    broken = []
    for finding in engine.check(numbered, [rule], "published tables"):
        rows = finding.rows.to_pylist() if finding.rows is not None else []
        tables = sorted({str(names[row - 1]) for row in rows if row})
        broken += [f"{table}: {finding.rule}" for table in tables]
    return broken


def _columns(engine: Engine) -> dict[str, list[str]]:
    """Columns of every table and view of the file, by `schema.table`."""
    found = engine.fetch(
        "select schema_name || '.' || table_name as name, column_name from duckdb_columns()"
        " where database_name = 'published' order by name, column_index"
    )
    columns: dict[str, list[str]] = {}
    for row in found.to_pylist():
        columns.setdefault(row["name"], []).append(row["column_name"])
    return columns


def _marts(columns: Mapping[str, list[str]]) -> set[str]:
    from expectations.suites.published import MART_SCHEMAS

    return {table for table in columns if table.split(".", 1)[0] in MART_SCHEMAS}


def _select(table: str) -> str:
    return f"select * from published.{_quoted(table)}"


def _quoted(table: str) -> str:
    schema, name = table.split(".", 1)
    return f'"{schema}"."{name}"'
