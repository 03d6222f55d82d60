"""The linkage on files: its quality, and training a new version of the model.

python -m analytics linkage quality --help
python -m analytics linkage train --help
"""

from __future__ import annotations

import argparse
from importlib import import_module

COMMANDS = {"quality": "analytics.linkage.quality", "train": "analytics.linkage.train"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_subparsers(dest="linkage_command", metavar="command", required=True)
    for name, path in COMMANDS.items():
        module = import_module(path)
        module.add_arguments(
            chosen.add_parser(
                name,
                description=module.__doc__,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )


def run(arguments: argparse.Namespace) -> int:
    return int(import_module(COMMANDS[arguments.linkage_command]).run(arguments))
