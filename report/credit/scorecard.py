"""The deployed scorecard: quality, points, and whether it still fits the debtors."""

from __future__ import annotations

from typing import Any

from report.charts import Chart, dots, line, numbers, places
from report.parts import Column, Row, Section, Table, empty
from report.published import Reader
from report.wording import figure, month, percent, plural, share, whole, words


def scorecard(reader: Reader) -> Section:
    """The deployed scorecard: how well it ranks, how true its probabilities are, its points."""
    title = "Scorecard"
    source = "credit.scorecard_quality, credit.default_scorecard, credit.credit_scores"
    told = reader.rows("""
        select scheme, version, kind, position, name, value
        from credit.scorecard_quality
        qualify version = max(version) over (partition by scheme)
        order by scheme, kind, position
    """)
    bins = reader.rows("""
        select
            scheme, feature, bin, base_points, points, is_missing, min(lower_bound) as lower_bound,
            min(upper_bound) as upper_bound,
            string_agg(category, ', ' order by category) as categories,
            max(good) as good, max(bad) as bad, max(weight_of_evidence) as weight_of_evidence,
            max(information_value) as information_value
        from (
            select *
            from credit.default_scorecard
            qualify version = max(version) over (partition by scheme)
        )
        group by scheme, feature, bin, base_points, points, is_missing
        order by
            scheme, sum(max(information_value)) over (partition by scheme, feature) desc, feature,
            bin
    """)
    if not told or not bins:
        return empty(
            "scorecard",
            title,
            "No scorecard is deployed",
            source,
            "Train one and deploy its seeds: `python -m analytics scorecard train`, then `seeds`.",
        )
    # one page tells of one card; the first, should there be several
    card = told[0]["scheme"]
    told, bins = ([row for row in rows if row["scheme"] == card] for rows in (told, bins))
    measures = {row["name"]: float(row["value"]) for row in told if row["kind"] == "measure"}
    roc, tenths = _by_position(told, "roc"), _by_position(told, "calibration")
    classes = reader.rows("""
        select
            class_code, class_label_en as name, count(*) as customers, min(score) as lowest,
            max(score) as highest, avg(probability_of_default) as probability,
            sum(proposed_limit) as proposed_limit
        from credit.credit_scores
        where as_of_date = $as_of and class_code is not null
        group by class_code, class_rank, class_label_en
        order by class_rank
    """)
    debtors = sum(row["customers"] for row in classes)
    for row in classes:
        row["share"] = share(row["customers"], debtors)
    auc = measures.get("auc_mean_of_folds", measures.get("auc", 0))
    names = {
        "auc_mean_of_folds": "AUC, mean of the folds",
        "auc": "AUC",
        "gini": "Gini",
        "ks": "KS",
        "brier": "Brier score (less is better)",
        "brier_base": "Brier score of the mere default rate",
        "rows": "Debtors of the sample",
        "bad": "Of these in default",
    }
    ends = [float(row[key]) for row in tenths for key in ("expected", "observed")]
    parts: list[Any] = []
    if roc:
        parts.append(
            Chart(
                "ROC curve",
                "Share of later defaults refused by share of good debtors refused, on unseen"
                f" debtors; the area under it is {auc:.3f}, against 0.5 of chance.",
                numbers("Good debtors refused", [1], percent),
                numbers("Defaults refused", [1], percent),
                [
                    line(
                        "scorecard", "accent", [(r["good_refused"], r["bad_refused"]) for r in roc]
                    ),
                    line("chance", "quiet", [(0, 0), (1, 1)], dashed=True),
                ],
            )
        )
    if tenths:
        parts.append(
            Chart(
                "Calibration",
                "Dots: tenths of the unseen debtors, expected share of defaults across, observed"
                " up; on the dashed line both are the same.",
                numbers("Expected share of defaults", ends, percent),
                numbers("Observed share of defaults", ends, percent),
                [
                    line("as expected", "quiet", [(0, 0), (max(ends), max(ends))], dashed=True),
                    dots(
                        "tenths of debtors",
                        "accent",
                        [(*(row["expected"], row["observed"], 1), _tenth(row)) for row in tenths],
                        9,
                    ),
                ],
            )
        )
    if classes:
        parts.append(
            Table(
                "Debtors by class of the score",
                [
                    Column("Class", "name"),
                    Column("Points from", "lowest", "whole"),
                    Column("to", "highest", "whole"),
                    Column("Debtors", "customers", "whole"),
                    Column("Share", "share", "sharebar"),
                    Column("Default, mean", "probability", "share"),
                    Column("Proposed limits", "proposed_limit", "compact", is_spare=True),
                ],
                classes,
            )
        )
    parts += [
        Table(
            "Quality on unseen debtors",
            [Column("Figure", "name"), Column("Value", "value", "figure")],
            [
                {"name": words, "value": measures[key]}
                for key, words in names.items()
                if key in measures
            ],
        ),
        Table(
            f"Bins and points, on top of {whole(bins[0]['base_points'])} points that everybody has",
            [
                Column("Feature", "feature"),
                Column("Bin", "range"),
                Column("Good", "good", "whole", is_spare=True),
                Column("Bad", "bad", "whole", is_spare=True),
                Column("Weight of evidence", "weight_of_evidence", "figure", is_spare=True),
                Column("Information value", "information_value", "figure", is_spare=True),
                Column("Points", "points", "signed"),
            ],
            [row | {"feature": words(row["feature"]), "range": _range(row)} for row in bins],
            is_folded=True,
            is_wide=True,
        ),
        Table(
            "Calibration by tenth",
            [
                Column("Tenth", "position"),
                Column("Debtors", "rows", "whole"),
                Column("Expected", "expected", "share"),
                Column("Observed", "observed", "share"),
            ],
            tenths,
            is_folded=True,
        ),
        Table(
            "ROC curve by cut-off",
            [
                Column("Cut-off", "position"),
                Column("Good debtors refused", "good_refused", "share"),
                Column("Defaults refused", "bad_refused", "share"),
            ],
            roc,
            is_folded=True,
        ),
    ]
    return Section(
        "scorecard",
        title,
        f"A debtor who pays scores higher than one in default in {percent(auc)} of pairs",
        f"Scorecard {card}, version {told[0]['version']}: points add up to a score, the higher"
        " the better. Measured on debtors that it did not see in training. A score is a proposal;"
        " a person decides.",
        source,
        parts,
    )


def stability(reader: Reader) -> Section:
    """Whether the debtors are still those that the scorecard was made for."""
    title, source = "Stability of scores", "credit.score_stability"
    rows = reader.rows("""
        select
            as_of_date, first_as_of_date, customers, stability_index, stability_label_en,
            train_again_from
        from credit.score_stability
        qualify scheme = min(scheme) over ()
        order by as_of_date
    """)
    if not rows:
        return empty(
            "stability",
            title,
            "No stability is told",
            source,
            "It needs a deployed scorecard and scores of at least one as-of date.",
        )
    last = rows[-1]
    index, limit = last["stability_index"], last["train_again_from"]
    return Section(
        "stability",
        title,
        f"The scores are {last['stability_label_en']}: their stability index is {figure(index)}",
        f"Population stability index of the scores against {last['first_as_of_date']}: 0 is no"
        f" change; from {figure(limit)} on the scorecard should be trained again.",
        source,
        [
            Chart(
                "Population stability index",
                f"Line at {plural(len(rows), 'as-of date', 'as-of dates')}, the last at"
                f" {figure(index)}.",
                places("As of", [month(row["as_of_date"]) for row in rows]),
                numbers("Index", [*(row["stability_index"] for row in rows), limit], figure),
                [
                    line(
                        "index", "accent", [(at, r["stability_index"]) for at, r in enumerate(rows)]
                    ),
                    line(
                        "train again from",
                        "second",
                        [(0, limit), (len(rows) - 1, limit)],
                        dashed=True,
                    ),
                ],
                is_wide=True,
            ),
            Table(
                "The figures by as-of date, newest first",
                [
                    Column("As of", "as_of_date"),
                    Column("Debtors", "customers", "whole"),
                    Column("Index", "stability_index", "figure"),
                ],
                rows[::-1],
                is_folded=True,
                is_wide=True,
            ),
        ],
    )


def _by_position(told: list[Row], kind: str) -> list[Row]:
    """Figures that belong together as one row."""
    found: dict[int, Row] = {}
    for row in told:
        if row["kind"] == kind:
            found.setdefault(row["position"], {"position": row["position"]})[row["name"]] = row[
                "value"
            ]
    return list(found.values())


def _tenth(row: Row) -> str:
    expected, observed = (percent(row[key]) for key in ("expected", "observed"))
    return f"Tenth {row['position']}: expected {expected}, observed {observed}"


def _range(row: Row) -> str:
    """A bin in words."""
    if row["is_missing"]:
        return "not known"
    if row["categories"]:
        return str(row["categories"])
    low, high = row["lower_bound"], row["upper_bound"]
    if low is None or high is None:
        return (
            "any"
            if low is high
            else f"below {figure(high)}"
            if low is None
            else f"{figure(low)} and more"
        )
    return f"{figure(low)} to below {figure(high)}"
