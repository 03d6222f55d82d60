"""Every fault of docs/reliability.md, made on purpose; `make faults`."""

import pytest

pytest.register_assert_rewrite("tests.faults.house")
