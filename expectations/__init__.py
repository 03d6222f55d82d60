"""Stage 2, landing -> pass or quarantine; and the last gate before readers.

Touches logging: Great Expectations tells at import, line by line, what it does not register; its
logger is quieted here, before any module below can import it. It also imports Spark's client where
one is installed, which costs time, warns, and ends a `python -c`: the client is hidden from this
process, unless it is loaded already; `sys.modules.pop("pyspark")` shows it again.
"""

import logging
import sys

logging.getLogger("great_expectations").setLevel(logging.WARNING)
sys.modules.setdefault("pyspark", None)  # type: ignore[arg-type]
