"""Imported by the process that all steps are forked from: what takes seconds to import."""

import expectations.engine
import expectations.gate
import expectations.published
import extract.run
import tests.faults.steps
import warehouse.engines
import warehouse.publish
import warehouse.raw
import warehouse.volume

__all__ = ["expectations", "extract", "tests", "warehouse"]
