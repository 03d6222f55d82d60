"""Arrow's kernels, untyped.

`Texts` stands for an Arrow array of texts. The published stubs of the kernels are narrower than the
kernels themselves (which also take strings, chunked arrays and masks), so both are `Any` here.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow.compute

Texts: TypeAlias = Any
kernels: Any = pyarrow.compute
