"""Lifetime value at size: BG/NBD and Gamma-Gamma for made-up customers, judged on a held-out year.

In: nothing; customers are drawn from the models themselves with a fixed seed, so that the true
parameters are known. Out: seconds (wall and CPU), memory at most of the process that reads the
histories and fits, and the parameters found beside the true ones. Touches: a temporary folder.

Run `python -m bench.lifetime [--customers N]`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

TRUE = {"r": 0.5, "alpha": 60.0, "a": 0.8, "b": 2.5, "p": 6.0, "q": 4.0, "gamma": 15.0}
"""Shapes of the rates and of the chance to leave, times in days; of the amounts."""

DAYS, HELD_OUT = 1095, 365
SEED = 20260131

MEASURED = """
import json, resource, sys, time
from datetime import date
import pyarrow.parquet as pq
from analytics.lifetime.step import step
began = time.perf_counter()
found = step([date(2026, 1, 31)], pq.read_table(sys.argv[1]))
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "gigabytes": used.ru_maxrss / 1e6,
    "rows": found["lifetime_value"].num_rows,
    "quality": [
        "{model} {metric} {value:.4g} ({baseline}: {baseline_value:.4g})".format(**one)
        for one in found["lifetime_value_quality"].to_pylist()
        if one["is_deciding"]
    ],
    "parameters": {
        one["parameter"]: one["value"] for one in found["lifetime_value_parameters"].to_pylist()
    },
}))
"""


def histories(customers: int) -> pa.Table:
    """Purchases of each customer as `statistics.int_repeat_purchases` tells them."""
    draw = np.random.default_rng(SEED)
    observed = draw.integers(HELD_OUT + 30, DAYS + 1, customers)
    rate = draw.gamma(TRUE["r"], 1 / TRUE["alpha"], customers)
    leaves = draw.beta(TRUE["a"], TRUE["b"], customers)
    scale = 1 / draw.gamma(TRUE["q"], 1 / TRUE["gamma"], customers)
    cut = observed - HELD_OUT

    def amounts(of: NDArray[np.int64]) -> NDArray[np.float64]:
        return draw.gamma(TRUE["p"], scale[of])

    everyone = np.arange(customers)
    first = amounts(everyone)
    count = np.zeros((2, customers), dtype=np.int64)
    last = np.zeros((2, customers), dtype=np.int64)
    total = np.zeros((2, customers))
    now, buying = np.zeros(customers), everyone
    while len(buying):
        now[buying] += draw.exponential(1 / np.maximum(rate[buying], 1e-12))
        buying = buying[now[buying] < observed[buying]]
        paid, day = amounts(buying), now[buying].astype(np.int64)
        for part, until in ((0, observed), (1, cut)):
            seen = now[buying] < until[buying]
            count[part, buying[seen]] += 1
            total[part, buying[seen]] += paid[seen]
            last[part, buying[seen]] = day[seen]
        buying = buying[draw.random(len(buying)) >= leaves[buying]]

    mean = (total + first) / (count + 1)
    with np.errstate(invalid="ignore"):
        repeat = np.where(count > 0, total / count, np.nan)
    return pa.table(
        {
            "customer_id": pa.array([f"{number:032x}" for number in range(customers)]),
            "repeat_purchases": count[0],
            "days_to_last_purchase": last[0],
            "days_observed": pa.array(observed),
            "mean_amount": mean[0],
            "mean_repeat_amount": pa.array(repeat[0], from_pandas=True),
            "calibration_repeat_purchases": count[1],
            "calibration_days_to_last_purchase": last[1],
            "calibration_days_observed": pa.array(cut),
            "calibration_mean_amount": mean[1],
            "calibration_mean_repeat_amount": pa.array(repeat[1], from_pandas=True),
            "holdout_amount": total[0] - total[1],
            "holdout_purchases": count[0] - count[1],
            "holdout_days": pa.repeat(HELD_OUT, customers),
        }
    )


def main() -> None:
    """Draw, measure in a process of its own, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as temporary:
        file = Path(temporary) / "histories.parquet"
        pq.write_table(histories(asked.customers), file)
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(file)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["rows"] == asked.customers, "not published"
    found = ", ".join(
        f"{name} {told['parameters'][name]:.4g} ({true:g})"
        for name, true in TRUE.items()
        if name in told["parameters"]
    )
    print(
        f"{asked.customers:,} customers: {told['seconds']:.1f} s ({told['cpu']:.1f} s of CPU),"
        f" {told['gigabytes']:.2f} GB; load {os.getloadavg()[0]:.1f}\n"
        f"parameters found (true): {found}\n" + "\n".join(told["quality"])
    )


if __name__ == "__main__":
    main()
