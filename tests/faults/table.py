"""The table of results: a plugin of pytest that `make faults` loads.

In: the marks and counts of the tests that ran. Out: the table on the screen and, when
`--faults-doc` names a page, between its two marks there. Touches that page.
"""

from __future__ import annotations

import platform
import re
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

HEAD = ("| # | what was done | tests | counts | outcome |", "|---|---|---|---|---|")
ROW = r"^\| (\d+) \| (.*?) \| .*$"
FAULT = "fault"
"""Name under which a report says which faults its test makes."""
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults-doc", type=Path, help="page whose table of results is written")
    parser.addoption(
        "--faults-more", action="store_true", help="keep the page's rows of faults not made now"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Results(config), "faults-results")


class Results:
    """Outcomes by fault, in the order in which tests ran."""

    def __init__(self, config: pytest.Config) -> None:
        self._page: Path | None = config.getoption("--faults-doc")
        self._keep: bool = config.getoption("--faults-more")
        self._seen: dict[tuple[int, str], list[Any]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """A report carries the faults of its test, whichever process made it."""
        for item in items:
            for mark in item.iter_markers("fault"):
                item.user_properties.append((FAULT, (mark.args[0], mark.args[1])))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            for name, value in report.user_properties:
                if name == FAULT:
                    self._seen[cast("tuple[int, str]", value)].append(report)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._seen:
            rows = self.rows()
            terminalreporter.section("faults")
            terminalreporter.write_line("\n".join([*HEAD, *rows.values()]))
            if self._page is not None:
                self._write(self._page, rows)

    def rows(self) -> dict[tuple[int, str], str]:
        """Rows of a Markdown table, one per fault and way of making it."""
        found = {}
        for (number, what), reports in sorted(self._seen.items()):
            counts: dict[str, int] = defaultdict(int)
            for report in reports:
                for name, value in report.user_properties:
                    if name.startswith("count:"):
                        counts[name.removeprefix("count:")] += int(str(value))
            told = ", ".join(f"{value:,} {name}" for name, value in counts.items())
            outcomes = [report.outcome for report in reports]
            bad = [each for each in outcomes if each != "passed"]
            outcome = "held" if not bad else f"{len(bad)} of {len(outcomes)} {bad[0]}"
            row = f"| {number} | {what} | {len(outcomes)} | {told} | {outcome} |"
            found[number, what] = row
        return found

    def _write(self, page: Path, rows: dict[tuple[int, str], str]) -> None:
        text = page.read_text(encoding="utf-8")
        before = text.partition(BEGIN)[2].partition(END)[0] if self._keep else ""
        kept = {(int(m[1]), m[2]): m[0] for m in re.finditer(ROW, before, re.MULTILINE)}
        table = "\n".join([*HEAD, *(row for _, row in sorted((kept | rows).items()))])
        when = f"Run on {date.today().isoformat()}, Python {platform.python_version()}."  # noqa: DTZ011
        block = f"{BEGIN}\n{when}\n\n{table}\n{END}"
        page.write_text(
            re.sub(f"{BEGIN}.*{END}", lambda _: block, text, flags=re.DOTALL), encoding="utf-8"
        )
