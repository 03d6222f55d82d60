"""Stage 2, landing -> pass or quarantine; and the last gate before readers.

Touches logging: Great Expectations tells at import, line by line, what it does not register; its
logger is quieted here, before any module below can import it.
"""

import logging

logging.getLogger("great_expectations").setLevel(logging.WARNING)
