"""Cut the samples in `tests/data` from the full public sets.

In: the folder of the full sets. Out: one folder per set in `tests/data`, with the same file names
and types, so that the contracts of `demo/public` apply to both. Touches nothing else.
Run `python -m tests.real.cut_samples <folder>`; the same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent.parent / "data"

RETAIL_CUSTOMERS = (12346, 12347, 14646, 16446)
"""Customers kept whole because their figures are published, or their huge order was cancelled."""


def _write_parquet(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def online_retail(full: Path) -> None:
    """The customers above, every 50th customer, and every 50th line without a customer."""
    table = pq.read_table(full / "online_retail" / "online_retail.parquet")
    kept, nameless = [], 0
    for customer, price in zip(
        table["CustomerID"].to_pylist(), table["UnitPrice"].to_pylist(), strict=True
    ):
        if customer is None:
            nameless += 1
            kept.append(nameless % 50 == 0 or price < 0)
        else:
            kept.append(customer in RETAIL_CUSTOMERS or customer % 50 == 0)
    _write_parquet(table.filter(pa.array(kept)), HERE / "online_retail" / "online_retail.parquet")


def hospital_billing(full: Path) -> None:
    """About every 20th case, whole, and the event whose case is missing."""
    table = pq.read_table(full / "hospital_billing" / "hospital_billing.parquet")
    cases = table["case_id"].to_pylist()
    kept = pa.array([case is None or zlib.crc32(case.encode()) % 20 == 0 for case in cases])
    assert pc.sum(pc.is_null(table["case_id"])).as_py() == 1
    _write_parquet(table.filter(kept), HERE / "hospital_billing" / "hospital_billing.parquet")


def telco_churn(full: Path) -> None:
    """Every 10th subscriber, and every subscriber whose total is blank."""
    source = full / "telco_churn" / "Telco-Customer-Churn.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        header, *rows = file.readlines()
    kept = [row for number, row in enumerate(rows) if number % 10 == 0 or ", ," in row]
    target = HERE / "telco_churn" / source.name
    target.parent.mkdir(exist_ok=True)
    with target.open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        packed.write("".join([header, *kept]).encode())


def accounts_receivable(full: Path) -> None:
    """The whole set: it is small."""
    name = "WA_Fn-UseC_-Accounts-Receivable.csv.gz"
    (HERE / "accounts_receivable").mkdir(exist_ok=True)
    shutil.copyfile(full / "accounts_receivable" / name, HERE / "accounts_receivable" / name)


if __name__ == "__main__":
    for cut in (online_retail, hospital_billing, telco_churn, accounts_receivable):
        cut(Path(sys.argv[1]))
