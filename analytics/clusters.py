"""Groups of customers that are alike: k-means on scaled metrics, k by the silhouette.

In: metrics of buyers. Out: the cluster of each and what sets it apart; quality beside the same
metrics shuffled. Touches nothing.

Clusters are numbered by what they bring: 1 has the highest mean spend. Silhouette: Rousseeuw
(1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from analytics.arrow import schema_of, table_of
from analytics.maximum_likelihood import Floats
from analytics.quality import Figure, Quality, data_version

MODEL = "customer_clusters"
METRICS = (
    "recency_days", "frequency_total", "monetary_12m", "monetary_total", "tenure_days",
    "product_class_count",
)  # fmt: skip
ORDERED_BY = "monetary_12m"
SEEDS = (1, 2, 3)
MOST_CLUSTERS = 8
SAMPLE = 2_000
"""Customers on whom k is chosen: a silhouette compares everybody with everybody."""

ENOUGH = 100_000
"""Customers of whom the centres are made, at most."""

CLUSTERS = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("customer_id", pa.string()),
        ("cluster_no", pa.int64()),
        ("cluster_traits", pa.string()),
        ("distance", pa.float64()),
    ]
)


def step(as_of_dates: Sequence[date], metrics: pa.Table) -> Mapping[str, pa.Table]:
    """Reads `statistics.int_cluster_metrics`, one row per buyer at the newest as-of date."""
    as_of = max(as_of_dates)
    rows = metrics.sort_by("customer_id")
    with threadpool_limits(limits=1):  # the order of adding depends on the number of threads
        quality, clusters = _clustered(as_of, rows)
    return {"customer_clusters": clusters, "customer_clusters_quality": quality.rows(as_of)}


def scaled(rows: pa.Table) -> Floats:
    """Logarithms (amounts and counts are skewed), then mean 0 and deviation 1."""
    columns = [rows[name].cast(pa.float64()).to_numpy() for name in METRICS]
    found = np.log1p(np.maximum(np.nan_to_num(np.column_stack(columns)), 0))
    deviation = found.std(axis=0)
    result: Floats = (found - found.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    return result


def _clustered(as_of: date, rows: pa.Table) -> tuple[Quality, pa.Table]:
    version = data_version(rows)
    points = scaled(rows) if rows.num_rows else np.zeros((0, len(METRICS)))
    if len(np.unique(points, axis=0)) < 2 * MOST_CLUSTERS:
        fault = f"{len(points)} buyers are too few, or too much alike"
        return Quality(MODEL, version, fault=fault), CLUSTERS.empty_table()
    figures, clusters_of = [], []
    count = _best_count(points)
    for seed in SEEDS:
        shuffled = _shuffled(points, seed)
        figures.append(
            Figure(
                "silhouette", _silhouette(points, count, seed), "the same metrics, shuffled",
                _silhouette(shuffled, count, seed), decides=True, seed=seed,
            )
        )  # fmt: skip
        clusters_of.append(_centres(points, count, seed).predict(points))
    again = adjusted_rand_score(clusters_of[0], clusters_of[1])
    figures.append(Figure("same_clusters_with_another_seed", float(again), seed=SEEDS[1]))
    figures.append(Figure("clusters", float(count), seed=SEEDS[0]))
    quality = Quality(MODEL, version, figures)
    if not quality.is_published:
        return quality, CLUSTERS.empty_table()
    return quality, _numbered(as_of, rows, points, _centres(points, count, SEEDS[0]))


def _drawn(points: Floats, size: int, seed: int) -> Floats:
    if len(points) <= size:
        return points
    places = np.random.default_rng(seed).choice(len(points), size, replace=False)
    return points[np.sort(places)]


def _shuffled(points: Floats, seed: int) -> Floats:
    """Each metric on its own keeps its values; what ties them together is gone."""
    chance = np.random.default_rng(seed)
    return np.column_stack([chance.permutation(column) for column in points.T])


def _centres(points: Floats, count: int, seed: int) -> Any:
    return KMeans(count, n_init=4, random_state=seed).fit(_drawn(points, ENOUGH, seed))


def _silhouette(points: Floats, count: int, seed: int) -> float:
    sample = _drawn(points, SAMPLE, seed)
    return float(silhouette_score(sample, _centres(sample, count, seed).labels_))


def _best_count(points: Floats) -> int:
    sample = _drawn(points, SAMPLE, SEEDS[0])
    found = {count: _silhouette(sample, count, SEEDS[0]) for count in range(2, MOST_CLUSTERS + 1)}
    return max(found, key=lambda count: (round(found[count], 9), -count))


def _numbered(as_of: date, rows: pa.Table, points: Floats, centres: Any) -> pa.Table:
    cluster: NDArray[np.int64] = centres.predict(points).astype(np.int64)
    spend = points[:, METRICS.index(ORDERED_BY)]
    count = len(centres.cluster_centers_)
    means = [
        spend[cluster == one].mean() if (cluster == one).any() else -np.inf for one in range(count)
    ]
    order = sorted(range(count), key=lambda one: (-means[one], one))
    number = np.empty(count, dtype=np.int64)
    number[order] = np.arange(1, count + 1)
    traits = np.array([_traits(centre) for centre in centres.cluster_centers_], dtype=object)
    distance = np.sqrt(((points - centres.cluster_centers_[cluster]) ** 2).sum(axis=1))
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), len(points)),
        "customer_id": rows["customer_id"],
        "cluster_no": pa.array(number[cluster]),
        "cluster_traits": pa.array(traits[cluster], pa.string()),
        "distance": pa.array(np.round(distance, 6)),
    }
    return table_of(columns).cast(CLUSTERS)


def _traits(centre: Floats) -> str:
    """The two metrics in which a cluster lies farthest from the average buyer."""
    farthest = sorted(range(len(METRICS)), key=lambda place: (-abs(centre[place]), place))[:2]
    return ", ".join(
        f"{'high' if centre[place] > 0 else 'low'} {METRICS[place]}" for place in farthest
    )
