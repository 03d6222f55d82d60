"""Date formats of contracts, in the JDK form that the standard prescribes: `dd/MM/yyyy`.

In: a pattern. Out: a regular expression with a named group per part; a moment written in the
pattern. Touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

_PARTS: Mapping[str, str] = {
    "yyyy": r"(?P<year>[0-9]{4})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "dd": r"(?P<day>[0-9]{2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "SSS": r"(?P<fraction>[0-9]{3})",
    "SSSSSS": r"(?P<fraction>[0-9]{6})",
}
_TOKEN = re.compile(r"'[^']*'|([A-Za-z])\1*|[^A-Za-z]")
_FORMS: Mapping[str, str] = {
    "yyyy": "{0.year:04d}", "MM": "{0.month:02d}", "M": "{0.month}", "dd": "{0.day:02d}",
    "d": "{0.day}", "HH": "{0.hour:02d}", "H": "{0.hour}", "mm": "{0.minute:02d}",
    "ss": "{0.second:02d}", "SSSSSS": "{0.microsecond:06d}",
}  # fmt: skip


def as_regex(pattern: str) -> str:
    """The pattern as a regular expression over the whole text.

    Raises `ValueError` for a letter that we do not know and for a pattern without a whole date.
    """
    pieces = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if text in _PARTS:
            pieces.append(_PARTS[text])
        elif text.startswith("'"):
            pieces.append(re.escape(text.strip("'")))
        elif text.isalpha():
            raise ValueError(f"{text!r} is none of {', '.join(_PARTS)}")
        else:
            pieces.append(re.escape(text))
    regex = "^" + "".join(pieces) + "$"
    if not all(f"(?P<{part}>" in regex for part in ("year", "month", "day")):
        raise ValueError("year, month and day are needed")
    return regex


def write(moment: datetime, pattern: str) -> str:
    """The moment in the pattern. Raises `ValueError` when the pattern drops some of it."""
    texts = [
        f"{moment.microsecond // 1000:03d}"
        if token[0] == "SSS"
        else _FORMS.get(token[0], token[0].strip("'").replace("{", "{{")).format(moment)
        for token in _TOKEN.finditer(pattern)
    ]
    text = "".join(texts)
    found = re.match(as_regex(pattern), text)
    parts = found.groupdict() if found else {}
    dropped = ("hour", "minute", "second", "microsecond")
    names = {"microsecond": "fraction"}
    if any(getattr(moment, name) and names.get(name, name) not in parts for name in dropped):
        raise ValueError("the pattern has no place for the time of day")
    return text
