"""`python -m warehouse`: what a person does with the warehouse by hand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from extract import contract as contracts_of
from kehu import settings as environment
from kehu.errors import KehuError
from kehu.settings import Settings
from warehouse import dbt_sources


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when it could not."""
    options = _parser().parse_args(arguments)
    try:
        result: int = options.command(options, environment.load())
        return result
    except KehuError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m warehouse", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    sources = commands.add_parser("sources", help="print dbt's source files made from contracts")
    sources.add_argument("--write", action="store_true", help="write them into dbt_project")
    sources.set_defaults(command=_sources)
    return parser


def _sources(options: argparse.Namespace, settings: Settings) -> int:
    contracts = contracts_of.read_all(settings.contract_dirs)
    if options.write:
        for path in dbt_sources.write(contracts, settings.dbt_project):
            print(path.relative_to(settings.dbt_project.parent))
    else:
        print("".join(dbt_sources.texts(contracts).values()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
