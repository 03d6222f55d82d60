"""The suite of the last gate: what readers are promised of the published file.

In: nothing but the seeds of the schemes (classes, ageing buckets) and the contracts (which columns
no reader may see). Out: `PROMISED`, the tables and columns of `docs/data_model.md`, and
expectations about them. Touches: reads the seeds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from great_expectations import expectations as gxe  # noqa: TID251

from expectations.engine import CRITICAL, ROW_NUMBER, ExpectQueryToReturnNoRows
from extract.contract import Contract
from kehu.errors import ValidationError

MART_SCHEMAS = ("customer", "value", "credit", "sales")
"""Schemas whose tables come from one build: all rows carry its run id."""


MAY_BE_UNKNOWN = ("valid_from",)
"""Key columns that may be empty: not every source says since when it has a record."""


@dataclass(frozen=True)
class Promise:
    """A table that readers rely on: its columns at least, and the columns that tell rows apart."""

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    has_rows: bool = True


def _promise(table: str, key: str, others: str, *, has_rows: bool = True) -> Promise:
    return Promise(table, (*key.split(), *others.split()), tuple(key.split()), has_rows)


_SOURCES = "in_billing in_his in_orders in_service"
PROMISED = (
    _promise(
        "customer.dim_customers",
        "customer_id",
        f"customer_type display_name region first_seen_date source_count {_SOURCES}",
    ),
    _promise(
        "customer.bridge_customer_records",
        "",
        "source_system source_record_id customer_id match_rule match_probability valid_from"
        " valid_to",
    ),
    _promise(
        "customer.customer_360",
        "customer_id",
        f"customer_type display_name region first_seen_date source_count {_SOURCES}",
    ),
    _promise(
        "customer.customer_timeline",
        "event_key",
        "customer_id event_at source_system event_type amount currency_code summary",
    ),
    _promise("customer.customer_redirects", "customer_id", "redirected_to", has_rows=False),
    _promise(
        "customer.fct_identity_changes",
        "change_key",
        "changed_on change_kind rule customer_id_before customer_id_after",
        has_rows=False,
    ),
    _promise(
        "customer.identity_explanations",
        "left_source_system left_source_record_id right_source_system right_source_record_id"
        " match_rule comparison",
        "customer_id match_probability weight sentence",
        has_rows=False,
    ),
    _promise(
        "customer.identity_review_queue",
        "review_rank",
        "left_customer_id right_customer_id review_reason match_probability amount_at_stake",
        has_rows=False,
    ),
    _promise("customer.identity_health", "measure", "measured measured_before is_within_limits"),
    _promise("value.customer_metrics", "as_of_date customer_id", "currency_code"),
    _promise(
        "value.rfm",
        "as_of_date customer_id",
        "recency_days frequency monetary r_score f_score m_score segment",
    ),
    _promise(
        "value.value_scores",
        "as_of_date customer_id",
        "current_value potential_value score class_code",
    ),
    _promise(
        "value.scores", "as_of_date scheme customer_id", "score class_code class_rank version"
    ),
    _promise(
        "value.score_details",
        "as_of_date scheme customer_id indicator",
        "points weight contribution",
    ),
    _promise(
        "value.class_history",
        "scheme customer_id valid_from",
        "class_code class_rank valid_to",
    ),
    _promise(
        "value.class_transitions",
        "scheme month from_class_code to_class_code",
        "as_of_date previous_as_of_date customers amount currency_code",
        has_rows=False,  # nobody moves where one month is known
    ),
    _promise(
        "value.lifetime_value",
        "as_of_date customer_id",
        "probability_alive expected_purchases_12m expected_purchases_24m expected_spend_12m"
        " expected_spend_24m currency_code",
        has_rows=False,  # as all predictions: empty where the model does not beat its baseline
    ),
    _promise(
        "value.churn_risk",
        "as_of_date population customer_id",
        "churn_probability risk_decile reason_1 reason_2 reason_3",
        has_rows=False,
    ),
    _promise(
        "value.customer_clusters", "as_of_date customer_id", "cluster_no distance", has_rows=False
    ),
    _promise(
        "value.cross_sell",
        "as_of_date item_level item other_item",
        "support confidence lift",
        has_rows=False,
    ),
    _promise(
        "value.model_quality",
        "as_of_date model seed metric",
        "data_version value baseline_value beats_baseline is_published",
        has_rows=False,  # a firm without a sale has nothing to foretell
    ),
    _promise(
        "sales.forecast",
        "as_of_date series_kind series month",
        "forecast_amount lower_amount upper_amount naive_amount currency_code",
        has_rows=False,
    ),
    _promise(
        "sales.safety_stock",
        "as_of_date product_code",
        "safety_stock reorder_point",
        has_rows=False,
    ),
    _promise(
        "sales.funnel",
        "as_of_date series_kind series stage",
        "stage_rank case_count conversion_rate reached_rate days_from_previous_median amount"
        " currency_code",
        has_rows=False,  # a firm may sell without leads and quotes
    ),
    _promise(
        "sales.win_rates",
        "as_of_date series_kind series",
        "closed_count won_count lost_count win_rate days_to_close_median currency_code",
        has_rows=False,
    ),
    _promise(
        "sales.opportunity_ageing",
        "as_of_date region stage bucket",
        "open_count expected_amount days_open_max currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.receivables_ageing",
        "as_of_date customer_id source_system bucket currency_code",
        "open_count open_amount",
    ),
    _promise(
        "credit.payment_behaviour",
        "as_of_date customer_id",
        "billed_amount collected_amount collection_rate on_time_share days_late_mean"
        " overdue_amount dso_days",
    ),
    _promise(
        "credit.credit_grades",
        "as_of_date customer_id scheme",
        "score grade previous_grade reviewed_date next_review_date",
    ),
    _promise(
        "credit.grade_transitions",
        "month scheme from_grade to_grade",
        "as_of_date previous_as_of_date customers open_amount currency_code",
        has_rows=False,  # nobody moves where one month is known
    ),
    _promise(
        "credit.credit_actions",
        "as_of_date customer_id scheme action_code",
        "class_code owner_role due_date needs_review reason_codes",
        has_rows=False,
    ),
    _promise(
        "credit.receivable_books",
        "month customer_id source_system currency_code",
        "opening_amount issued_amount adjusted_amount settled_amount written_off_amount"
        " closing_amount",
    ),
    _promise(
        "credit.receivable_exceptions",
        "record_key reason_code",
        "record_kind treatment_en customer_id source_system record_date amount applied_amount"
        " unapplied_amount currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.roll_rates",
        "month source_system from_bucket to_bucket",
        "as_of_date direction debts amount roll_rate currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.cure_rates",
        "month source_system bucket",
        "as_of_date debts cured_debts overdue_amount cured_amount cure_rate currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.vintages",
        "vintage_month source_system months_on_book",
        "debts issued_amount settled_amount written_off_amount defaulted_amount settled_share"
        " default_share currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.expected_loss",
        "as_of_date customer_id",
        "exposure_at_default probability_of_default loss_given_default expected_loss currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.arrears_warnings",
        "customer_id raised_date",
        "warning_id level closed_date closing_cause warning_reason incurred_amount paid_amount"
        " in_transit_amount balance_amount days_overdue currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.payment_prompts",
        "receivable_id",
        "as_of_date customer_id source_system prompt due_date days_past_due open_amount"
        " in_transit_amount currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.reassessment_events",
        "customer_id event_date event_type",
        "events grade_at_event",
        has_rows=False,
    ),
    _promise(
        "credit.collection_abc",
        "as_of_date customer_id",
        "score class_code order_count_12m monetary_12m open_amount days_late_mean"
        " collection_count written_off_count currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.risk_kinds",
        "as_of_date customer_id",
        "tariff_risk safety_risk contract_risk overall_risk leading_kind",
        has_rows=False,
    ),
    _promise(
        "credit.credit_scores",
        "as_of_date customer_id scheme",
        "version score probability_of_default class_code proposed_decision proposed_limit"
        " proposed_rate needs_review has_thin_information reason_codes currency_code",
        has_rows=False,
    ),
    _promise(
        "credit.default_scorecard",
        "scheme version feature bin category",
        "lower_bound upper_bound is_missing good bad weight_of_evidence information_value points",
    ),
    _promise("credit.scorecard_quality", "scheme version kind position name", "value"),
    _promise(
        "credit.score_stability",
        "scheme as_of_date",
        "first_as_of_date customers stability_index stability_band",
        has_rows=False,
    ),
    _promise(
        "credit.scorecard_sample",
        "as_of_date customer_id",
        "is_default",
        has_rows=False,  # outcomes are known a year later
    ),
    _promise(
        "credit.settlement_timeliness",
        "as_of_date source_system",
        "receivables_amount collection_timeliness payment_timeliness payment_timeliness_note",
        has_rows=False,
    ),
    _promise(
        "credit.working_capital_cycles",
        "as_of_date source_system",
        "receivable_cycle_days inventory_cycle_days payable_cycle_days channel_cycle_days"
        " other_cycles_note top5_share herfindahl_index",
        has_rows=False,
    ),
    _promise(
        "credit.winsorised_cycles",
        "as_of_date customer_id",
        "receivable_cycle_days winsorised_cycle_days is_clipped",
        has_rows=False,
    ),
    _promise(
        "credit.cycle_regression",
        "as_of_date term",
        "coefficient variance_inflation observations note",
        has_rows=False,
    ),
    _promise("ops.runs", "run_id", "started_at finished_at version"),
    _promise(
        "ops.reconciliation",
        "",
        "run_id system table batch source landed loaded quarantined duplicate deleted control_sums",
    ),
)


def rules(promise: Promise, seeds: Path) -> list[Any]:
    """The expectations on one promised table; `seeds` is the folder of the schemes' seeds."""
    found: list[Any] = [
        gxe.ExpectTableColumnsToMatchSet(
            column_set=list(promise.columns), exact_match=False, **_named("columns")
        ),
    ]
    if promise.has_rows:
        found.append(gxe.ExpectTableRowCountToBeBetween(min_value=1, **_named("has_rows")))
    if promise.key:
        listed = ", ".join(promise.key)
        found.append(
            _query(
                "key:unique",
                f"select {listed} from {{batch}} group by {listed} having count(*) > 1 limit 1",
            )
        )
        found += [
            gxe.ExpectColumnValuesToNotBeNull(column=column, **_named(f"{column}:not_null"))
            for column in promise.key
            if column not in MAY_BE_UNKNOWN
        ]
    if "customer_id" in promise.columns and "customer_id" not in promise.key:
        found.append(customer_is_known())
    return [*found, *_classes(promise.table, seeds)]


def customer_is_known() -> Any:
    return gxe.ExpectColumnValuesToNotBeNull(column="customer_id", **_named("customer_id:not_null"))


def one_run() -> Any:
    """On the relation (_row_number, run_id) of all marts: rows whose run is not the common one."""
    return _query(
        "run_id:one_run",
        f"select {ROW_NUMBER} from {{batch}}"
        " where run_id is distinct from (select mode(run_id) from {batch})",
    )


def no_private_column(contracts: Iterable[Contract]) -> Any:
    """On the relation (_row_number, column_name) of the file: names that the contracts close.

    What a contract calls personal, identifier or health stays in the restricted zone, and so do
    the normalised forms; masked values and keyed hashes have names of their own.
    """
    closed: set[str] = set()
    for contract in contracts:
        for column in contract.columns:
            if column.classification not in ("public", "internal") or column.identifier:
                closed.add(column.name)
                closed.update(name for name in column.derived if not name.endswith("_hash"))
    return gxe.ExpectColumnValuesToNotBeInSet(
        column="column_name", value_set=sorted(closed), **_named("no_private_column")
    )


def _query(rule: str, query: str) -> Any:
    """A rule that is broken when `query` gives a row."""
    return ExpectQueryToReturnNoRows(unexpected_rows_query=query, **_named(rule))


def _classes(table: str, seeds: Path) -> list[Any]:
    if table == "customer.bridge_customer_records":
        key = "source_system, source_record_id"
        return [
            _query(
                "key:unique_now",
                f"select {key} from {{batch}} where valid_to is null"
                f" group by {key} having count(*) > 1 limit 1",
            ),
            *(
                gxe.ExpectColumnValuesToNotBeNull(column=column, **_named(f"{column}:not_null"))
                for column in key.split(", ")
            ),
        ]
    if table == "value.rfm":
        bands = [
            gxe.ExpectColumnValuesToBeBetween(
                column=column, min_value=1, max_value=5, **_named(f"{column}:range")
            )
            for column in ("r_score", "f_score", "m_score")
        ]
        return [*bands, _within("segment", _codes(seeds, "rfm"))]
    if table == "value.value_scores":
        return [_within("class_code", _codes(seeds, "value_score"))]
    if table == "value.scores":
        return [_within_scheme("class_code", seeds)]
    if table == "credit.credit_grades":
        return [_within_scheme("grade", seeds), _within_scheme("previous_grade", seeds)]
    if table == "credit.receivables_ageing":
        rows = _seed(seeds / "ageing_buckets.csv")
        return [_within("bucket", [row["bucket"] for row in rows])]
    return []


def _within(column: str, values: Sequence[str]) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column=column, value_set=list(values), **_named(f"{column}:in_set")
    )


def _within_scheme(column: str, seeds: Path) -> Any:
    """A class that its scheme has; a row without class is another rule's business."""
    known = {(row["scheme"], row["class_code"]) for row in _seed(seeds / "scheme_classes.csv")}
    pairs = ", ".join(f"({_literal(s)}, {_literal(c)})" for s, c in sorted(known))
    return _query(
        f"{column}:in_scheme",
        f"select scheme from {{batch}} where {column} is not null"
        f" and (scheme, {column}) not in ({pairs}) limit 1",
    )


def _codes(seeds: Path, scheme: str) -> list[str]:
    rows = _seed(seeds / "scheme_classes.csv")
    return [row["class_code"] for row in rows if row["scheme"] == scheme]


def _seed(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise ValidationError(
            f"The seed cannot be read: {error.strerror or error}",
            where=str(path),
            do="restore the seed: the last gate compares the published classes with it",
        ) from error


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def _named(rule: str) -> dict[str, Any]:
    return {"severity": CRITICAL, "meta": {"rule": rule}}
