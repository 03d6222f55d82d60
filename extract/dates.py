"""Date formats of contracts, in the JDK form that the standard prescribes: `dd/MM/yyyy`.

In: a pattern. Out: a regular expression with a named group per part. Touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def as_regex(pattern: str) -> str:
    """The pattern as a regular expression over the whole text.

    Raises `ValueError` for a letter that we do not know and for a pattern without a whole date.
    """
    pieces = []
    for token in re.finditer(r"'[^']*'|([A-Za-z])\1*|[^A-Za-z]", pattern):
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
