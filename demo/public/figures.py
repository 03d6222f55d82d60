"""What must come out of the public data, computed from the files alone.

In: the folder with the public sets (or their samples). Out: figures by name, as decimals, computed
with pandas from the files as they are; nothing of the pipeline's contracts or SQL is used, so that
a fault there cannot hide itself here. Touches: reads the files only.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pandas as pd

Figure = tuple[Decimal, ...]
"""One published number, or several that belong together (count and amount; R, F and M)."""

RETAIL_AS_OF = pd.Timestamp("2011-12-10")
AGEING_AS_OF = (pd.Timestamp("2012-12-31"), pd.Timestamp("2013-06-30"))
RFM_CUSTOMERS = (12346, 12347, 14646)
BUCKETS = {"1-30": 30, "31-60": 60, "61-90": 90, "91-180": 180, "181-365": 365, ">365": 10**6}
"""Ageing buckets with the last day that each holds."""


def expected(data: Path) -> dict[str, Figure]:
    """Every figure of the four sets under `data`."""
    return {**retail(data), **invoices(data), **subscribers(data), **hospital(data)}


def retail(data: Path) -> dict[str, Figure]:
    """Lines, bad lines by reason, and recency, frequency and monetary value of the web shop."""
    lines = pd.read_parquet(data / "online_retail" / "online_retail.parquet")
    # prices have three decimals: thousandths are exact as integers, doubles are not
    lines["milli"] = lines["Quantity"].astype("int64") * (lines["UnitPrice"] * 1000).round().astype(
        "int64"
    )
    named = lines["CustomerID"].notna()
    cancelled = lines["InvoiceNo"].str.startswith("C")
    nameless, no_text = ~named, lines["Description"].isna()
    bought = lines[named & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    by_customer = bought.groupby("CustomerID")
    rfm = pd.DataFrame(
        {
            "recency": (RETAIL_AS_OF - by_customer["InvoiceDate"].max().dt.normalize()).dt.days,
            "frequency": by_customer["InvoiceNo"].nunique(),
            "milli": by_customer["milli"].sum(),
        }
    )
    largest = rfm["milli"].sort_values(ascending=False)
    top = -(-len(rfm) // 5)
    negative = lines["UnitPrice"] < 0
    figures = {
        "retail lines": _count(lines.index),
        "retail lines without customer": _count(lines[nameless]),
        "retail lines without description": _count(lines[no_text]),
        "retail lines with a negative price": _count(lines[negative]),
        "retail lines quarantined": _count(lines[nameless | no_text | negative]),
        "retail lines with quantity of zero or less": _count(lines[lines["Quantity"] <= 0]),
        "retail cancellation lines": _count(lines[cancelled]),
        "retail cancellation lines with a customer": _count(lines[cancelled & named]),
        "retail customers": (Decimal(lines["CustomerID"].nunique()),),
        "retail buyers": _count(rfm),
        "retail invoices": (Decimal(bought["InvoiceNo"].nunique()),),
        "retail revenue": (_milli(rfm["milli"].sum()),),
        "retail recency median": (_median(rfm["recency"]),),
        "retail frequency median": (_median(rfm["frequency"]),),
        "retail monetary median": (_median(rfm["milli"]) / 1000,),
        "retail buyers in the top fifth": (Decimal(top),),
        "retail share of the top fifth, percent": (
            _rounded(100 * Decimal(int(largest.head(top).sum())) / int(largest.sum()), 4),
        ),
    }
    for customer in RFM_CUSTOMERS:
        one = rfm[rfm.index == customer]
        figures[f"rfm {customer}"] = (
            Decimal(int(one["recency"].iloc[0])),
            Decimal(int(one["frequency"].iloc[0])),
            _milli(one["milli"].iloc[0]),
        )
    bands = {"r": _fifths(-rfm["recency"]), "f": _fifths(rfm["frequency"])}
    for letter, band in {**bands, "m": _fifths(rfm["milli"])}.items():
        for fifth in range(1, 6):
            figures[f"rfm buyers with {letter} {fifth}"] = _count(band[band == fifth])
    return figures


def invoices(data: Path) -> dict[str, Figure]:
    """Lateness, and the ageing of what was open at both dates."""
    rows = pd.read_csv(
        data / "accounts_receivable" / "WA_Fn-UseC_-Accounts-Receivable.csv.gz", dtype=str
    )
    for name in ("InvoiceDate", "DueDate", "SettledDate"):
        rows[name] = pd.to_datetime(rows[name], format="%d/%m/%Y")
    rows["cents"] = (rows["InvoiceAmount"].astype(float) * 100).round().astype("int64")
    late_days = (rows["SettledDate"] - rows["DueDate"]).dt.days.clip(lower=0)
    late = rows[late_days > 0]
    figures = {
        "invoices": _count(rows),
        "invoices amount": (_cents(rows["cents"].sum()),),
        "invoices customers": (Decimal(rows["customerID"].nunique()),),
        "invoices late": _count(late),
        "invoices late, percent": (_rounded(100 * Decimal(len(late)) / len(rows), 4),),
        "invoices late amount": (_cents(late["cents"].sum()),),
        "invoices days late mean": (_rounded(Decimal(int(late_days.sum())) / len(rows), 4),),
    }
    for as_of in AGEING_AS_OF:
        day = f"{as_of:%Y-%m-%d}"
        known = rows[rows["InvoiceDate"] <= as_of]
        opened = known[known["SettledDate"] > as_of]
        overdue = (as_of - opened["DueDate"]).dt.days
        first = 0
        held = {"not due": opened[overdue <= 0]}
        for bucket, last in BUCKETS.items():
            held[bucket] = opened[(overdue > first) & (overdue <= last)]
            first = last
        for bucket, part in held.items():
            figures[f"ageing {day} {bucket}"] = (*_count(part), _cents(part["cents"].sum()))
        billed = known[known["InvoiceDate"] > as_of - pd.DateOffset(months=12)]
        collected = billed[billed["SettledDate"] <= as_of]
        figures[f"billed in 12 months to {day}"] = (_cents(billed["cents"].sum()),)
        figures[f"collected in 12 months to {day}"] = (_cents(collected["cents"].sum()),)
    return figures


def subscribers(data: Path) -> dict[str, Figure]:
    """Charges, blanks and churn of the telephone company."""
    rows = pd.read_csv(
        data / "telco_churn" / "Telco-Customer-Churn.csv.gz", dtype=str, keep_default_na=False
    )
    cents = (rows["MonthlyCharges"].astype(float) * 100).round().astype("int64")
    left = rows["Churn"] == "Yes"
    figures = {
        "subscribers": _count(rows),
        "subscribers without total charges": _count(rows[rows["TotalCharges"].str.strip() == ""]),
        "subscribers monthly charges": (_cents(cents.sum()),),
        "subscribers churned": _count(rows[left]),
    }
    terms = {"monthly": "Month-to-month", "one year": "One year", "two years": "Two year"}
    for label, term in terms.items():
        here = rows["Contract"] == term
        share = 100 * Decimal(int((left & here).sum())) / int(here.sum())
        figures[f"subscribers churned {label}, percent"] = (_rounded(share, 2),)
    return figures


def hospital(data: Path) -> dict[str, Figure]:
    """Events by kind, and calendar days from the first FIN to the first BILLED of a case."""
    events = pd.read_parquet(data / "hospital_billing" / "hospital_billing.parquet")
    figures = {
        "hospital events": _count(events),
        "hospital events without case": _count(events[events["case_id"].isna()]),
    }
    for activity, number in events["activity"].value_counts().sort_index().items():
        figures[f"hospital {activity}"] = (Decimal(int(number)),)
    first = (
        events.dropna(subset=["case_id"])
        .groupby(["case_id", "activity"])["timestamp"]
        .min()
        .dt.normalize()
        .unstack()
    )
    both = first.dropna(subset=["FIN", "BILLED"])
    days = (both["BILLED"] - both["FIN"]).dt.days
    figures["hospital cases billed after FIN"] = _count(both)
    figures["hospital days FIN to BILLED mean"] = (
        _rounded(Decimal(int(days.sum())) / len(days), 4),
    )
    figures["hospital days FIN to BILLED median"] = (_median(days),)
    return figures


def published(figures: Mapping[str, object]) -> dict[str, Figure]:
    """The figures of `published_figures.yaml` in the form of `expected`."""
    return {
        name: tuple(Decimal(str(part)) for part in (value if isinstance(value, list) else [value]))
        for name, value in figures.items()
    }


def _count(rows: pd.DataFrame | pd.Series | pd.Index) -> Figure:
    return (Decimal(len(rows)),)


def _milli(number: object) -> Decimal:
    return Decimal(int(str(number))) / 1000


def _cents(number: object) -> Decimal:
    return Decimal(int(str(number))) / 100


def _median(values: pd.Series) -> Decimal:
    ordered = sorted(int(value) for value in values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Decimal(ordered[middle])
    return Decimal(ordered[middle - 1] + ordered[middle]) / 2


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places))


def _fifths(values: pd.Series) -> pd.Series:
    """Band of each value: least(5, 1 + floor(5 x percent rank)); equal values share a band."""
    below = values.rank(method="min").astype("int64") - 1
    return (1 + (5 * below) // (len(values) - 1)).clip(upper=5)
