"""Imported by the process that all steps are forked from: what takes seconds to import."""

import expectations.engine
import expectations.gate
import expectations.published
import extract.run
import warehouse.engines
import warehouse.publish
import warehouse.raw
import warehouse.volume  # noqa: F401
