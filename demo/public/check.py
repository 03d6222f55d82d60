"""Compare what the pipeline made of the public data with figures that do not come from it.

In: the folder of the public sets, and the settings' published file, working file and landing.
Out: a printed table (figure, expected, what the warehouse says); exit code 1 on a difference.
Expected figures are those of `published_figures.yaml` when the sets are whole, and otherwise, as
on samples, those that `figures.py` computes from the files. Touches nothing: all files are opened
read-only. `python -m demo.public.check <folder>`, as the last step of `make real`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb  # noqa: TID251 - reads what the pipeline wrote; demo imports no stage
import yaml

from demo.public import figures
from demo.public.figures import Figure
from kehu import settings as kehu_settings
from kehu.errors import KehuError, SettingsError, WarehouseError
from kehu.settings import Settings

WORK = '"kehu-work"'
"""The working file's catalog: views inside it use the name it was opened by when made."""

FULL_LINES = Decimal(541_909)
"""Lines of the whole online_retail set: with fewer, the sets are samples."""

TABLES = {
    "retail lines": ("orders", "invoice_lines"),
    "invoices": ("billing", "invoices"),
    "subscribers": ("billing", "subscriptions"),
    "hospital events": ("his", "billing_events"),
}
REASONS = {
    "retail lines without customer": ("orders", "invoice_lines", "customer_no:not_null"),
    "retail lines without description": ("orders", "invoice_lines", "description:not_null"),
    "retail lines with a negative price": ("orders", "invoice_lines", "unit_price:range"),
    "hospital events without case": ("his", "billing_events", "case_no:not_null"),
}


@dataclass(frozen=True)
class Line:
    """One compared figure."""

    name: str
    expected: Figure
    actual: Figure | None

    @property
    def ok(self) -> bool:
        return self.actual == self.expected


def compare(data: Path, settings: Settings) -> list[Line]:
    """Every figure of `data`, as expected and as the warehouse has it."""
    expected = figures.expected(data)
    if expected["retail lines"] == (FULL_LINES,):
        path = Path(__file__).with_name("published_figures.yaml")
        expected |= figures.published(yaml.safe_load(path.read_text(encoding="utf-8")))
    expected["customers"] = (
        expected["retail customers"][0]
        + expected["invoices customers"][0]
        + expected["subscribers"][0],
    )
    expected["customers made by hospital cases"] = (Decimal(0),)
    expected["tables that do not add up"] = (Decimal(0),)
    actual = _Warehouse(settings).figures()
    return [Line(name, figure, actual.get(name)) for name, figure in expected.items()]


class _Warehouse:
    """Asks the published file (`pub`), the working file and landing for the figures."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("set TimeZone = 'UTC'")
        files = ("pub", settings.published_file), (WORK, settings.work_file)
        for name, path in files:
            if not path.is_file():
                raise WarehouseError(
                    "There is nothing to check.", where=str(path), do="run `make real DATA=...`"
                )
            self._connection.execute(f"attach '{path.resolve()}' as {name} (read_only)")

    def figures(self) -> dict[str, Figure]:
        try:
            return self._rows() | self._retail() | self._invoices() | self._others()
        finally:
            self._connection.close()

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        row = self._connection.execute(query, list(values)).fetchone()
        return row if row is not None else ()

    def _figure(self, query: str, *values: object) -> Figure | None:
        row = self._row(query, *values)
        if not row or any(cell is None for cell in row):
            return None
        return tuple(Decimal(str(cell)) for cell in row)

    def _named(self, query: str, prefix: str = "") -> dict[str, Figure]:
        """Figures of a query whose first column is the name."""
        return {
            prefix + str(name): tuple(Decimal(str(cell)) for cell in cells)
            for name, *cells in self._connection.execute(query).fetchall()
        }

    def _rows(self) -> dict[str, Figure]:
        """Rows of the last round: counted, reasons, and whether everything adds up."""
        latest = """
            select * from pub.ops.reconciliation
            qualify row_number() over (partition by system, "table" order by batch desc) = 1
        """
        found: dict[str, Figure] = {}
        for name, source in TABLES.items():
            row = self._row(
                f'select source from ({latest}) where system = ? and "table" = ?', *source
            )
            if row:
                found[name] = (Decimal(row[0]),)
        for name, (system, table, rule) in REASONS.items():
            row = self._row(
                f'select reasons from ({latest}) where system = ? and "table" = ?', system, table
            )
            if row:
                found[name] = (Decimal(json.loads(row[0] or "{}").get(rule, 0)),)
        wrong = self._row(f"""
            select count(*) from ({latest})
            where source <> landed or landed <> loaded + quarantined + duplicate
        """)
        held = self._row(f"select quarantined from ({latest}) where \"table\" = 'invoice_lines'")
        return found | {
            "tables that do not add up": (Decimal(wrong[0]),),
            "retail lines quarantined": (Decimal(held[0]),),
        }

    def _quarantine(self, system: str, table: str) -> str:
        """Quarantined rows of the newest batch of a table, as a relation."""
        files = sorted(
            self._settings.landing.glob(f"{system}/{table}/dt=*/batch=*/quarantine.parquet"),
            key=lambda path: path.parent.name,
        )
        if not files:
            raise WarehouseError(
                "No batch of this table was validated.",
                where=f"{system}.{table}",
                do="run `make real DATA=...`",
            )
        return f"read_parquet('{files[-1]}')"

    def _retail(self) -> dict[str, Figure]:
        held = self._quarantine("orders", "invoice_lines")
        loaded = f"{WORK}.staging.stg_orders__invoice_lines"
        found: dict[str, Figure | None] = {
            "retail lines with quantity of zero or less": self._figure(
                f"select (select count(*) from {loaded} where quantity <= 0)"
                f" + (select count(*) from {held} where quantity <= 0)"
            ),
            "retail cancellation lines": self._figure(
                f"select (select count(*) from {WORK}.core.fct_transactions"
                " where source_system = 'orders' and transaction_kind = 'cancellation')"
                f" + (select count(*) from {held} where invoice_no like 'C%')"
            ),
            "retail cancellation lines with a customer": self._figure(
                f"select count(*) from {WORK}.core.fct_transactions"
                " where source_system = 'orders' and transaction_kind = 'cancellation'"
            ),
            "retail customers": self._figure(
                "select count(*) from pub.customer.dim_customers where in_orders"
            ),
            "retail revenue": self._figure(
                f"select sum(gross_amount) from {WORK}.core.fct_transactions"
                " where source_system = 'orders' and transaction_kind = 'sale' and gross_amount > 0"
            ),
        }
        rfm = f"(select * from pub.value.rfm where as_of_date = '{figures.RETAIL_AS_OF:%Y-%m-%d}')"
        found |= {
            "retail buyers": self._figure(f"select count(*) from {rfm}"),
            "retail invoices": self._figure(f"select sum(frequency) from {rfm}"),
            "retail recency median": self._figure(f"select median(recency_days) from {rfm}"),
            "retail frequency median": self._figure(f"select median(frequency) from {rfm}"),
            # the middle of two exact decimals: median() itself would answer in doubles
            "retail monetary median": self._figure(f"""
                select (min(monetary) + max(monetary)) / 2.0 from (
                    select monetary, row_number() over (order by monetary) as position,
                        count(*) over () as buyers
                    from {rfm}
                )
                where position in ((buyers + 1) // 2, buyers // 2 + 1)
            """),
            "retail buyers in the top fifth": self._figure(f"select ceil(count(*) / 5) from {rfm}"),
            "retail share of the top fifth, percent": self._figure(f"""
                select round(100 * sum(monetary) filter (where position <= top) / sum(monetary), 4)
                from (
                    select monetary, row_number() over (order by monetary desc) as position,
                        ceil(count(*) over () / 5) as top
                    from {rfm}
                )
            """),
        }
        for customer in figures.RFM_CUSTOMERS:
            found[f"rfm {customer}"] = self._figure(
                f"""
                select recency_days, frequency, monetary
                from {rfm} as rfm
                inner join pub.customer.bridge_customer_records as bridge
                    on bridge.customer_id = rfm.customer_id and bridge.valid_to is null
                where bridge.source_system = 'orders' and bridge.source_record_id = ?
                """,
                str(customer),
            )
        for letter in "rfm":
            for fifth in range(1, 6):
                found[f"rfm buyers with {letter} {fifth}"] = self._figure(
                    f"select count(*) from {rfm} where {letter}_score = ?", fifth
                )
        return {name: figure for name, figure in found.items() if figure is not None}

    def _invoices(self) -> dict[str, Figure]:
        debts = f"(select * from {WORK}.core.fct_receivables where source_system = 'billing')"
        late = "greatest(0, settled_date - due_date)"
        found: dict[str, Figure | None] = {
            "invoices amount": self._figure(f"select sum(amount) from {debts}"),
            "invoices customers": self._figure(f"select count(distinct customer_id) from {debts}"),
            "invoices late": self._figure(f"select count(*) from {debts} where {late} > 0"),
            "invoices late, percent": self._figure(
                f"select round(100.0 * count(*) filter (where {late} > 0) / count(*), 4)"
                f" from {debts}"
            ),
            "invoices late amount": self._figure(
                f"select sum(amount) from {debts} where {late} > 0"
            ),
            "invoices days late mean": self._figure(f"select round(avg({late}), 4) from {debts}"),
        }
        for as_of in figures.AGEING_AS_OF:
            day = f"{as_of:%Y-%m-%d}"
            for bucket in ("not due", *figures.BUCKETS):
                found[f"ageing {day} {bucket}"] = self._figure(
                    "select coalesce(sum(open_count), 0), coalesce(sum(open_amount), 0)"
                    " from pub.credit.receivables_ageing"
                    " where source_system = 'billing' and as_of_date = ? and bucket = ?",
                    day,
                    bucket,
                )
            for name in ("billed", "collected"):
                found[f"{name} in 12 months to {day}"] = self._figure(
                    f"select sum({name}_amount) from pub.credit.payment_behaviour"
                    " where as_of_date = ?",
                    day,
                )
        return {name: figure for name, figure in found.items() if figure is not None}

    def _others(self) -> dict[str, Figure]:
        subscribers = f"{WORK}.staging.stg_billing__subscriptions"
        terms = (
            "(values ('Month-to-month', 'monthly'), ('One year', 'one year'),"
            " ('Two year', 'two years'))"
        )
        cases = f"(select * from {WORK}.core.fct_billing_cases where days_to_billed is not null)"
        found: dict[str, Figure | None] = {
            "customers": self._figure("select count(*) from pub.customer.dim_customers"),
            "customers made by hospital cases": self._figure(
                "select count(*) from pub.customer.dim_customers where in_his"
            ),
            "subscribers without total charges": self._figure(
                f"select count(*) from {subscribers} where total_charges is null"
            ),
            "subscribers monthly charges": self._figure(
                f"select sum(monthly_charges) from {subscribers}"
            ),
            "subscribers churned": self._figure(
                f"select count(*) from {subscribers} where is_churned"
            ),
            "hospital cases billed after FIN": self._figure(f"select count(*) from {cases}"),
            "hospital days FIN to BILLED mean": self._figure(
                f"select round(avg(days_to_billed), 4) from {cases}"
            ),
            "hospital days FIN to BILLED median": self._figure(
                f"select median(days_to_billed) from {cases}"
            ),
        }
        named = self._named(
            "select 'subscribers churned ' || label || ', percent',"
            " round(100.0 * count(*) filter (where is_churned) / count(*), 2)"
            f" from {subscribers} inner join {terms} as terms(term, label) on contract_kind = term"
            " group by label"
        ) | self._named(
            "select activity, count(*) from ("
            f" select activity from {WORK}.staging.stg_his__billing_events union all"
            f" select activity from {self._quarantine('his', 'billing_events')}"
            ") group by activity",
            "hospital ",
        )
        return named | {name: figure for name, figure in found.items() if figure is not None}


def show(lines: list[Line]) -> str:
    """The comparison as a table."""
    width = max(len(line.name) for line in lines)
    rows = [f"{'figure':<{width}}  {'expected':>24}  {'in the warehouse':>24}"]
    rows += [
        f"{line.name:<{width}}  {_text(line.expected):>24}  {_text(line.actual):>24}"
        f"  {'ok' if line.ok else 'DIFFERENT'}"
        for line in lines
    ]
    wrong = sum(not line.ok for line in lines)
    rows.append(
        f"{len(lines)} figures, {wrong} different" if wrong else f"{len(lines)} figures, all equal"
    )
    return "\n".join(rows)


def _text(figure: Figure | None) -> str:
    if figure is None:
        return "missing"
    return " / ".join(f"{part.normalize():,f}" for part in figure)


def main(arguments: list[str]) -> int:
    """Print the table; 0 when all figures are equal."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        raise SettingsError(
            "The folder of the public sets is missing.",
            where="python -m demo.public.check <folder>",
            do="name the folder that holds online_retail, hospital_billing and the others",
        )
    lines = compare(Path(arguments[0]), kehu_settings.load())
    print(show(lines))  # noqa: T201 - a command line
    return int(any(not line.ok for line in lines))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KehuError as error:
        sys.exit(str(error))
