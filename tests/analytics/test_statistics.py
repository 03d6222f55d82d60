"""Clusters, affinity, forecast, safety stock: what they find, and silence where nothing is."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
import yaml

from analytics import affinity, clusters, forecast, quality, safety_stock
from analytics.churn import step as churn
from analytics.lifetime import step as lifetime
from analytics.quality import Figure, Quality, data_version
from kehu.settings import CLONE

DAY = [date(2026, 1, 31)]
SETTINGS = pa.table(
    {
        "setting": [
            "forecast_months", "cross_sell_fewest_customers", "stock_lead_time_days",
            "stock_service_level", "forecast_band_share",
        ],
        "value": [6.0, 5.0, 30.0, 0.95, 0.8],
    }
)  # fmt: skip


def _shuffled(rows: pa.Table) -> pa.Table:
    return rows.take(pa.array(np.random.default_rng(8).permutation(len(rows))))


def _buyers(together: bool) -> pa.Table:
    """Three groups that lie apart, or metrics that have nothing to do with each other."""
    chance = np.random.default_rng(1)
    group = np.repeat([0, 1, 2], 200)
    columns = {}
    for place, name in enumerate(clusters.METRICS):
        middle = np.array([[1, 4, 7], [7, 1, 4], [4, 7, 1]])[place % 3][group] if together else 4
        columns[name] = np.expm1(chance.normal(middle, 0.3, 600))
    return pa.table({"customer_id": [f"c{one:03}" for one in range(600)], **columns})


def test_groups_that_lie_apart_are_found() -> None:
    rows = _buyers(together=True)
    made = clusters.step(DAY, rows)
    again = clusters.step(DAY, _shuffled(rows))
    assert all(made[name].equals(again[name]) for name in made)
    found = made["customer_clusters"].to_pandas()
    assert sorted(found.groupby("cluster_no").size()) == [200, 200, 200]
    spend = rows["monetary_12m"].to_pandas().groupby(found["cluster_no"]).mean()
    assert spend.is_monotonic_decreasing


def test_metrics_without_a_tie_make_no_clusters() -> None:
    made = clusters.step(DAY, _buyers(together=False))
    silhouette = made["customer_clusters_quality"].to_pandas().query("metric == 'silhouette'")
    assert (silhouette["value"] - silhouette["baseline_value"]).abs().max() < 0.05
    few = clusters.step(DAY, _buyers(together=True).slice(0, 5))
    assert few["customer_clusters"].num_rows == 0
    assert "too few" in few["customer_clusters_quality"]["note"][0].as_py()


def _items(tied: bool) -> pa.Table:
    """Customers of lamp or pump; later they buy what goes with it, or what everybody buys."""
    chance = np.random.default_rng(3)
    rows = []
    for number in range(400):
        kind = number % 4 == 0
        have = ["lamp", "pump"][kind]
        goes_with = ["bulb", "hose"][kind]
        late = number // 4 % 2 == 1
        rows.append((f"c{number:03}", have, False))
        if tied:
            rows.append((f"c{number:03}", goes_with, late))
        else:
            rows.append((f"c{number:03}", str(chance.choice(["bulb", "hose"], p=[0.8, 0.2])), late))
    table = [
        {"item_level": level, "customer_id": c, "item": i, "is_held_out": h}
        for level in ("product", "product_class")
        for c, i, h in rows
    ]
    return pa.Table.from_pylist(table)


def test_rules_have_exact_support_confidence_and_lift() -> None:
    made = affinity.step(DAY, _items(tied=True), SETTINGS)
    again = affinity.step(DAY, _shuffled(_items(tied=True)), SETTINGS)
    assert all(made[name].equals(again[name]) for name in made)
    rules = made["cross_sell"].to_pandas().query("item_level == 'product'")
    (rule,) = rules[(rules["item"] == "pump") & (rules["other_item"] == "hose")].to_dict("records")
    assert rule["customers_with_both"] == 100
    assert (rule["support"], rule["confidence"], rule["lift"]) == (0.25, 1.0, 4.0)
    assert not ((rules["item"] == "pump") & (rules["other_item"] == "bulb")).any()


def test_rules_that_know_no_more_than_popularity_are_not_published() -> None:
    made = affinity.step(DAY, _items(tied=False), SETTINGS)
    judged = made["cross_sell_quality"].to_pandas()
    published = set(judged.query("is_published")["model"])
    assert made["cross_sell"].num_rows == 0 or published
    nobody = affinity.step(DAY, _items(tied=True).slice(0, 0), SETTINGS)
    assert nobody["cross_sell"].num_rows == 0
    assert "0 customers bought another item" in nobody["cross_sell_quality"]["note"][0].as_py()


def _sales(amounts: np.ndarray, series: str = "all") -> pa.Table:
    months = [date(2022 + place // 12, place % 12 + 1, 1) for place in range(len(amounts))]
    return pa.table(
        {
            "series_kind": ["all"] * len(amounts),
            "series": [series] * len(amounts),
            "month": pa.array(months, pa.date32()),
            "amount": amounts,
        }
    )


NO_DEMAND = pa.table(
    {
        "product_code": pa.array([], pa.string()),
        "month": pa.array([], pa.date32()),
        "quantity": pa.array([], pa.float64()),
    }
)


def test_a_season_with_a_trend_is_forecast_and_beats_the_naive() -> None:
    places = np.arange(48)
    noise = np.random.default_rng(6).normal(0, 3, 48)
    amounts = 500 + 6 * places + 120 * np.sin(places / 12 * 2 * np.pi) + noise
    made = forecast.step(DAY, _sales(amounts), NO_DEMAND, SETTINGS)
    assert all(
        made[name].equals(again)
        for name, again in forecast.step(
            DAY, _shuffled(_sales(amounts)), NO_DEMAND, SETTINGS
        ).items()
    )
    told = made["sales_forecast"].to_pandas()
    assert told["month"].tolist()[0] == date(2026, 1, 1)
    truth = 500 + 6 * np.arange(48, 54) + 120 * np.sin(np.arange(48, 54) / 12 * 2 * np.pi)
    error = np.abs(told["forecast_amount"] - truth).mean()
    assert error < np.abs(told["naive_amount"] - truth).mean()
    assert error < 40
    assert (told["lower_amount"] <= told["forecast_amount"]).all()
    width = told["upper_amount"] - told["forecast_amount"]
    assert width.is_monotonic_increasing
    assert set(told["band_share"]) == {0.8}
    # 1.6449 standard errors hold 90% of what is normal, 1.2816 hold 80%
    wider = SETTINGS.set_column(1, "value", pa.array([6.0, 5.0, 30.0, 0.95, 0.9]))
    wide = forecast.step(DAY, _sales(amounts), NO_DEMAND, wider)["sales_forecast"].to_pandas()
    ratio = (wide["upper_amount"] - wide["forecast_amount"]) / width
    assert ratio.tolist() == pytest.approx([1.6449 / 1.2816] * len(told), rel=1e-3)
    assert made["sales_backtest"]["is_published"].to_pylist() == [True]


def test_what_the_naive_forecast_foresees_exactly_is_not_published() -> None:
    amounts = np.tile(np.arange(1.0, 13.0) * 100, 4)
    made = forecast.step(DAY, _sales(amounts), NO_DEMAND, SETTINGS)
    assert made["sales_forecast"].num_rows == 0
    assert made["sales_backtest"]["naive_error"].to_pylist() == [0.0]
    short = forecast.step(DAY, _sales(amounts[:10]), NO_DEMAND, SETTINGS)
    assert short["sales_backtest"].num_rows == 0
    assert "no series has" in short["sales_quality"]["note"][0].as_py()


def test_a_month_without_sales_is_zero() -> None:
    rows = _sales(np.arange(1.0, 25.0)).filter(pa.array([place != 7 for place in range(24)]))
    (series,) = forecast.series_of(rows, "amount")
    assert len(series.amounts) == 24
    assert series.amounts[7] == 0


def test_safety_stock_is_z_times_error_times_root_of_the_lead_time() -> None:
    chance = np.random.default_rng(4)
    demand = chance.normal([100.0, 20.0], [10.0, 1.0], (36, 2))
    settings = {"stock_lead_time_days": 4 * safety_stock.DAYS_OF_MONTH, "stock_service_level": 0.95}
    stock, judged = safety_stock.safety_stock(DAY[0], ["a", "b"], demand, settings, "v")
    assert judged.is_published
    rows = stock.to_pylist()
    assert [row["product_code"] for row in rows] == ["a", "b"]
    for row, deviation in zip(rows, (10.0, 1.0), strict=True):
        assert row["safety_stock"] == pytest.approx(1.6449 * row["demand_error"] * 2, rel=1e-3)
        assert row["demand_error"] == pytest.approx(deviation, rel=0.3)
        reorder = row["safety_stock"] + 4 * row["monthly_demand"]
        assert row["reorder_point"] == pytest.approx(reorder, abs=0.01)


def test_a_version_is_of_the_values_not_of_their_chunks() -> None:
    rows = pa.table({"a": ["x", None, "zz"], "b": [1.0, 2.0, None], "d": pa.array([1, 2, 3])})
    parts = pa.concat_tables([rows.slice(0, 1), rows.slice(1)])
    assert data_version(parts) == data_version(rows)
    other = rows.set_column(0, "a", pa.array(["x", "", "zz"]))
    assert data_version(other) != data_version(rows)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.decimal128(38, 0)])
def test_a_version_is_the_same_from_every_engine(kind: pa.DataType) -> None:
    """Engines count in other widths, and add integers up to other types."""
    rows = pa.table(
        {"n": pa.array([1, None, 3]), "m": pa.array([1, 2, 3]).cast(pa.decimal128(21, 2))}
    )
    theirs = pa.table({"n": rows["n"].cast(kind), "m": rows["m"].cast(pa.decimal128(38, 2))})
    assert data_version(theirs) == data_version(rows)
    assert data_version(theirs.slice(1)) != data_version(rows)


def test_the_mean_over_the_seeds_decides() -> None:
    def trial(value: float, seed: int) -> Figure:
        return Figure("auc", value, "alone", 0.6, decides=True, seed=seed)

    assert Quality("m", "v", [trial(0.59, 1), trial(0.63, 2)]).is_published
    assert not Quality("m", "v", [trial(0.59, 1), trial(0.60, 2)]).is_published
    assert not Quality("m", "v", [Figure("auc", 0.9)]).is_published
    assert not Quality("m", "v", [trial(0.9, 1)], fault="too few").is_published


def test_tables_have_the_columns_that_dbt_is_promised() -> None:
    path = CLONE / "dbt_project" / "models" / "statistics" / "_analytics__sources.yml"
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    kinds = {"string": "string", "bigint": "int64", "double": "double", "boolean": "bool"}
    promised = {
        table["name"]: [
            (column["name"], kinds.get(column["data_type"], "date32[day]"))
            for column in table["columns"]
        ]
        for table in source["tables"]
    }
    for name, schema in {
        "lifetime_value": lifetime.PREDICTED,
        "lifetime_value_parameters": lifetime.PARAMETERS,
        "churn_risk": churn.RISKS,
        "churn_contributions": churn.CONTRIBUTIONS,
        "customer_clusters": clusters.CLUSTERS,
        "cross_sell": affinity.RULES,
        "sales_forecast": forecast.FORECASTS,
        "sales_backtest": forecast.BACKTEST,
        "safety_stock": safety_stock.STOCK,
        **{
            f"{model}_quality": quality.SCHEMA
            for model in ("lifetime_value", "churn", "customer_clusters", "cross_sell", "sales")
        },
    }.items():
        assert [(each.name, str(each.type)) for each in schema] == promised[name], name
