"""`python -m analytics <command>`: statistics on files, for people.

In: files that the arguments name. Out: text on the screen, files where a command says so. Touches
nothing else. Exit status: 0 done, 1 a figure is not what it should be, 2 the input cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from kehu.errors import KehuError

COMMANDS = {
    "ageing": "analytics.ageing.command",
    "churn": "analytics.churn.command",
    "credit-checks": "analytics.checks.credit",
    "linkage": "analytics.linkage.command",
    "lifetime-value": "analytics.lifetime.command",
    "rfm": "analytics.rfm",
    "scorecard": "analytics.scorecard.command",
    "value-checks": "analytics.checks.value",
    "weights": "analytics.weights",
}
"""Name of a command to its module, which has `add_arguments(parser)`, `run(arguments)` and the help
in its docstring; only the module that is asked for is imported."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    given = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser(prog="python -m analytics", description=__doc__)
    chosen = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, path in COMMANDS.items():
        if given[:1] != [name]:
            chosen.add_parser(name, help=f"see python -m analytics {name} --help")
            continue
        module = import_module(path)
        shape = argparse.RawDescriptionHelpFormatter
        module.add_arguments(
            chosen.add_parser(name, description=module.__doc__, formatter_class=shape)
        )
    arguments = parser.parse_args(given)
    try:
        return int(import_module(COMMANDS[arguments.command]).run(arguments))
    except KehuError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
