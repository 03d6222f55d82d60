"""Data Docs: Great Expectations' own pages about the last validation of every table, offline.

In: results of validations without values (`note`), kept in `<home>/data_docs/results`. Out: a page
per table and an index in `<home>/data_docs`. Touches that folder; each file appears by one rename.

Results say which rule was kept and how many rows broke it, never a cell. Great Expectations' pages
load styles and scripts from the network; here they are taken out and a style of our own stands in.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from extract import landing
from extract.landing import Batch, Verdict
from kehu.errors import ValidationError
from kehu.settings import Settings

_FOREIGN = re.compile(
    r"<script\b[^>]*>.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<form\b.*?</form>"
    r"|<style\b[^>]*>.*?</style>|url\(\s*['\"]?https?:[^)]*\)",
    re.S,
)
_HREF = re.compile(r'href="https?://[^"]*"')
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem;
  color: #16211e; background: #fff; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #dde4df;
  vertical-align: top; overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; } .badge { background: #d9ebe7; padding: 0 .4em; }
.text-success, .ok { color: #0b6b61; } .text-danger, .bad { color: #b03a2e; }
.modal, .nav, nav, footer, .cooltip, .popover, button { display: none; }
@media (prefers-color-scheme: dark) { body { color: #e9efec; background: #0d1312; }
  th, td { border-color: #2a3633; } .badge { background: #1d3a36; } }
"""


def folder(settings: Settings) -> Path:
    return settings.home / "data_docs"


def note(settings: Settings, batch: Batch, verdict: Verdict, result: Mapping[str, Any]) -> None:
    """Keep what a validation found of a table; the last one counts.

    `result` is Great Expectations' own, made with BOOLEAN_ONLY; numbers of rows are added to it.
    """
    for entry in result["results"]:
        rule = entry["expectation_config"]["meta"]["rule"]
        broken = verdict.reasons.get(rule, verdict.warnings.get(rule, 0))
        entry["result"] = {
            "element_count": verdict.landed_rows,
            "unexpected_count": broken,
            "unexpected_percent": 100 * broken / verdict.landed_rows if verdict.landed_rows else 0,
        }
        entry["expectation_config"]["kwargs"].pop("batch_id", None)
    target = folder(settings) / "results"
    landing.make_private(target)
    content = {
        "table": f"{batch.system}.{batch.table}",
        "batch": str(batch.address),
        "passed": verdict.passed,
        "message": verdict.message,
        "rows": verdict.landed_rows,
        "checks": verdict.checks,
        "failed": len(verdict.reasons),
        "warned": len(verdict.warnings),
        "result": dict(result),
    }
    landing.write_json(target / f"{batch.system}.{batch.table}.json", content)


def build(settings: Settings, only: Iterable[str] | None = None) -> Path:
    """Write the pages of the tables `only` (default: all that were validated) and the index.

    Raises `ValidationError` when nothing was validated yet.
    """
    results = sorted((folder(settings) / "results").glob("*.json"))
    if not results:
        raise ValidationError(
            "No table was validated yet, so there are no Data Docs.",
            where=str(folder(settings)),
            do="run the ingest DAGs, or `python -m expectations validate`",
        )
    wanted = None if only is None else set(only)
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in results]
    for content in kept:
        if wanted is None or content["table"] in wanted:
            _write(folder(settings) / f"{content['table']}.html", _page(content))
    index = folder(settings) / "index.html"
    _write(index, _index(kept))
    return index


def _page(content: Mapping[str, Any]) -> str:
    # Great Expectations takes seconds to import: only when there is something to render.
    from great_expectations.core.expectation_validation_result import (  # noqa: TID251
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.expectations.expectation_configuration import (  # noqa: TID251
        ExpectationConfiguration,
    )
    from great_expectations.render.renderer.page_renderer import (  # noqa: TID251
        ValidationResultsPageRenderer,
    )
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: TID251

    told = content["result"]
    result = ExpectationSuiteValidationResult(
        success=told["success"],
        results=[
            ExpectationValidationResult(
                success=entry["success"],
                expectation_config=ExpectationConfiguration(**entry["expectation_config"]),
                result=entry["result"],
            )
            for entry in told["results"]
        ],
        suite_name=content["table"],
        statistics=told["statistics"],
        meta=told["meta"],
    )
    text = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    body = re.search(r"<body\b[^>]*>(.*)</body>", text, re.S)
    plain = _HREF.sub('href="#"', _FOREIGN.sub("", body[1] if body else text))
    title = html.escape(f"{content['table']}, {content['batch']}")
    state = _state(content)
    return _frame(title, f'<p><a href="index.html">All tables</a></p><p>{state}</p>{plain}')


def _index(kept: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><a href="{content["table"]}.html">{content["table"]}</a></th>'
        f"<td>{_state(content)}</td><td>{content['rows']:,}</td>"
        f"<td>{content['checks'] - content['failed'] - content['warned']}</td>"
        f"<td>{content['failed']}</td><td>{content['warned']}</td>"
        f"<td>{html.escape(content['batch'])}</td></tr>"
        for content in kept
    )
    heads = ("Table", "Last validation", "Rows", "Kept", "Broken", "Warned", "Batch")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return _frame(
        "Data Docs: what was checked of every table",
        "<p>The last validation of every table: how many rules it kept, and how many hold rows "
        "back or only warn. Counts only; rows in quarantine are in the restricted zone.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>",
    )


def _state(content: Mapping[str, Any]) -> str:
    kind, word = ("ok", "✓ passed") if content["passed"] else ("bad", "✗ refused")
    return f'<span class="{kind}">{word}</span> {html.escape(content["message"])}'


def _frame(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Kehu: {title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{body}</body></html>\n"
    )


def _write(path: Path, text: str) -> None:
    hidden = path.with_name(f".{path.name}")
    hidden.write_text(text, encoding="utf-8")
    hidden.chmod(0o600)
    hidden.replace(path)
