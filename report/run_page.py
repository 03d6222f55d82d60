"""The page of one run: its report as a person reads it, also when the run failed.

In: `run-<run_id>.json`. Out: the same name with `.html`, complete in itself. Touches that file
only; it appears by one rename.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2

from report import wording

TEMPLATES = Path(__file__).parent / "templates"


def build(report: Path) -> Path:
    """Write the page beside the report, and give its path."""
    content = json.loads(report.read_text(encoding="utf-8"))
    target = report.with_suffix(".html")
    hidden = target.with_name(f".{target.name}")
    hidden.write_text(render(content), encoding="utf-8")
    hidden.chmod(0o600)
    hidden.replace(target)
    return target


def render(content: dict[str, Any]) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"whole": wording.whole, "seconds": wording.seconds}
    return environment.get_template("run.html.j2").render(
        report=content, run=content["run"], headline=headline(content)
    )


def headline(content: dict[str, Any]) -> str:
    """The run in one sentence."""
    name, totals = content["run"]["dag_id"], content["totals"]
    if content["failure"]:
        return f"{name} failed at {content['failure']['task_id']}: {content['failure']['what']}"
    if not content["adds_up"]:
        return f"{name}: the books do not add up"
    held = totals["quarantined"]
    return f"{name}: all {wording.whole(totals['source'])} rows are accounted for, " + (
        f"{wording.whole(held)} of them wait in quarantine" if held else "none in quarantine"
    )
