"""Build the page about the last publication: `python -m report`."""

from __future__ import annotations

import sys

from kehu import settings
from kehu.errors import KehuError
from report.build import build

if __name__ == "__main__":
    try:
        print(build(settings.load()))
    except KehuError as error:
        sys.exit(str(error))
