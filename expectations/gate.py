"""The gate: a landed batch is checked by its suite, divided, and given a verdict.

In: batches and their contracts. Out: `Verdict`s. Touches: writes passed.parquet,
quarantine.parquet and, last, verdict.json into the batch's folder. If anything fails on the way
there is no verdict, and nothing loads.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from expectations import data_docs, quarantine
from extract import landing
from extract.contract import Contract, read_all
from extract.landing import CAST_ERRORS, Batch, Manifest, Verdict
from kehu.errors import KehuError, LandingError, ValidationError
from kehu.settings import Settings

if TYPE_CHECKING:
    from expectations.engine import Engine, Finding

FAILURE = "validation_failure.txt"
"""File in the batch's folder that says where validation broke off."""


def validate(batch: Batch, contract: Contract, settings: Settings) -> Verdict:
    """Check one batch and write its verdict.

    A batch that has passed keeps its verdict: running the task again changes nothing. Raises
    `LandingError` when the files are not what the manifest says, `ValidationError` when a rule
    could not be checked.
    """
    manifest = landing.read_manifest(batch)
    if (known := _passed_before(batch, settings)) is not None:
        return known
    landing.verify(batch, manifest.files)
    _compare_columns(batch, contract)
    key = settings.hash_key()
    engine = _engine(settings)
    from expectations.engine import name_of

    started = time.perf_counter()
    landing.withdraw_verdict(batch)
    (batch.path / FAILURE).unlink(missing_ok=True)

    try:
        rules, findings = _findings(engine, batch, contract, manifest)
        critical = [(f.rule, f.rows) for f in findings if f.is_critical and f.rows is not None]
        division = quarantine.divide(batch, contract, quarantine.reasons_by_row(critical), key)
    except KehuError:
        raise
    except Exception as error:
        # Its text may quote a cell: it stays in the restricted zone, beside the data.
        _write_private(batch.path / FAILURE, traceback.format_exc())
        raise ValidationError(
            f"Validation broke off ({type(error).__name__}); there is no verdict.",
            where=f"{contract.name}, batch {batch.batch_id}",
            do=f"read {FAILURE} in the batch's folder; it may quote cells, so pass it on with care",
        ) from None
    if division.landed != manifest.landed_rows:
        raise ValidationError(
            f"The manifest says {manifest.landed_rows} rows, the file holds {division.landed}.",
            where=f"{contract.name}, batch {batch.batch_id}",
            do="extract the table again",
        )
    # The rows of a replay were all bad once: whatever passes now may load.
    limit = 1.0 if manifest.replay_of else contract.max_quarantine_share
    message, passed = _judge(limit, contract.smallest_sample, findings, division)
    verdict = Verdict(
        system=batch.system,
        table=batch.table,
        batch_id=batch.batch_id,
        passed=passed,
        landed_rows=division.landed,
        passed_rows=division.passed,
        quarantined_rows=division.quarantined,
        reasons={rule: len(rows) for rule, rows in sorted(critical)},
        message=message,
        hash_key_id=settings.hash_key_id,
        seconds=round(time.perf_counter() - started, 3),
        files={path.name: landing.sha256(path) for path in (batch.passed, batch.quarantine)},
        warnings={
            f.rule: 1 if f.rows is None else len(f.rows)
            for f in sorted(findings, key=lambda f: f.rule)
            if not f.is_critical
        },
        checks=len(rules),
        why={
            name_of(rule): str(rule.description or "")
            for rule in rules
            if name_of(rule) in {finding.rule for finding in findings}
        },
    )
    data_docs.note(settings, batch, verdict, engine.result)
    landing.write_verdict(batch, verdict)
    return verdict


def validate_all(batches: Iterable[Batch], settings: Settings) -> list[Verdict]:
    """Check batches one after the other, in one process: importing costs more than checking."""
    return [validate(batch, contract_of(batch, settings), settings) for batch in batches]


def require_passed(verdicts: Sequence[Verdict]) -> None:
    """Raise `ValidationError` naming every table whose batch must not be loaded."""
    if refused := [v for v in verdicts if not v.passed]:
        raise ValidationError(
            "\n    - ".join(
                ["Batches were refused:", *(f"{v.system}.{v.table}: {v.message}" for v in refused)]
            ),
            where=", ".join(f"batch {v.batch_id}" for v in refused),
            do="look at quarantine.parquet of these batches; correct the source, or the contract"
            " or suite and then replay",
        )


def contract_of(batch: Batch, settings: Settings) -> Contract:
    """The contract of a batch's table."""
    name = f"{batch.system}.{batch.table}"
    contract = known_contracts(settings.contract_dirs, batch.system).get(name)
    if contract is None:
        raise ValidationError(
            f"No contract describes {name}.",
            where=str(batch.address),
            do=f"add {batch.system}/{batch.table}.yaml to a folder of KEHU_CONTRACTS",
        )
    return contract


@cache
def known_contracts(dirs: tuple[Path, ...], system: str | None = None) -> dict[str, Contract]:
    """Contracts by name, read once per process: checking the form of all takes a second."""
    return {contract.name: contract for contract in read_all(dirs, system)}


def _passed_before(batch: Batch, settings: Settings) -> Verdict | None:
    """The verdict of an earlier run, when it let the batch pass and its files are whole."""
    try:
        verdict = landing.read_verdict(batch)
        landing.verify(batch, verdict.files)
    except LandingError:
        return None
    same_key = verdict.hash_key_id == settings.hash_key_id
    return verdict if verdict.passed and same_key else None


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _compare_columns(batch: Batch, contract: Contract) -> None:
    found = pq.read_schema(batch.data)
    expected = contract.arrow_schema
    wrong = [
        f"{field.name} ({field.type})"
        for field in expected
        if field.name not in found.names or found.field(field.name).type != field.type
    ]
    if wrong:
        raise ValidationError(
            f"The landed file lacks columns of the contract: {', '.join(wrong)}.",
            where=f"{contract.name}, batch {batch.batch_id}",
            do="extract the table again with the present contract",
        )


def _engine(settings: Settings) -> Engine:
    # Great Expectations takes seconds to import: only when there is something to check.
    from expectations import engine

    spill = settings.home / "spill"
    landing.make_private(spill)
    return engine.shared(spill)


def _findings(
    engine: Engine, batch: Batch, contract: Contract, manifest: Manifest
) -> tuple[list[Any], list[Finding]]:
    """The rules that were checked, and what breaks them."""
    from expectations.engine import rows_of
    from expectations.suites import of_table
    from expectations.surroundings import around

    relation = rows_of(batch.data)
    if CAST_ERRORS not in pq.read_schema(batch.data).names:
        relation = relation.replace("select *", f"select *, null as {CAST_ERRORS}", 1)
    known = around(engine, batch, contract, manifest)
    rules = of_table.rules(contract, _unread_cells(engine, batch), known)
    return rules, engine.check(relation, rules, f"{contract.name}, batch {batch.batch_id}")


def _unread_cells(engine: Engine, batch: Batch) -> list[str]:
    """Names under which cells of the batch are reported as not fitting their type."""
    if CAST_ERRORS not in pq.read_schema(batch.data).names:
        return []
    path = str(batch.data).replace("'", "''")
    found = engine.fetch(
        f"select distinct unnest(json_keys({CAST_ERRORS})) as name"
        f" from read_parquet('{path}') where {CAST_ERRORS} is not null order by name"
    )
    return [str(name) for name in found.column("name").to_pylist()]


def _judge(
    limit: float, smallest: int, findings: Sequence[Finding], division: quarantine.Division
) -> tuple[str, bool]:
    """Whether the batch as a whole may be loaded, and the sentence that says why.

    The share is taken of at least `smallest` rows.
    """
    whole = sorted(f.rule for f in findings if f.is_critical and f.rows is None)
    if whole:
        return f"The batch breaks {', '.join(whole)}.", False
    share = division.quarantined / division.landed if division.landed else 0.0
    sentence = f"{division.quarantined} of {division.landed} rows were held back ({share:.2%})"
    allowed = int(limit * max(division.landed, smallest))
    if division.quarantined > allowed:
        return f"{sentence}; at most {allowed} may be.", False
    return f"{sentence}.", True
