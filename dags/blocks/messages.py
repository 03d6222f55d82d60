"""What a failed task may say: the message that was written for people, and where it happened.

In: a task's function. Out: the same function, whose errors hold no cell and no password. Touches
nothing.

Airflow prints the whole chain of exceptions into the task's log, and the error of a database below
ours may quote a row. So the chain is cut; of an unexpected error only its type and the lines of
code are told.
"""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from kehu.errors import KehuError
from kehu.settings import CLONE

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


def fit_for_logs(function: Callable[P, R]) -> Callable[P, R]:
    """Let `function` raise nothing whose text or chain may hold a cell."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except KehuError as error:
            log.error("Stopped at:\n%s", _lines(error))
            raise error.with_traceback(None) from None
        except Exception as error:
            if type(error).__module__.startswith("airflow."):
                raise
            log.error("Stopped unexpectedly at:\n%s", _lines(error))
            unexpected = KehuError(
                f"Something failed that should not: {type(error).__name__}.",
                where=_own_line(error),
                do="run it again; when it repeats, report it with the lines above in the log",
            )
            raise unexpected from None

    return guarded


def _lines(error: BaseException) -> str:
    """Lines of code of the whole chain, oldest error first; of the errors their types."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return "\n".join(
        "".join(traceback.format_tb(each.__traceback__)) + f"  {type(each).__name__}"
        for each in reversed(chain)
    )


def _own_line(error: BaseException) -> str:
    """The innermost line of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    packages = CLONE / ".venv"
    own = [
        frame
        for frame in frames
        if (path := Path(frame.filename)).is_relative_to(CLONE)
        and not path.is_relative_to(packages)
    ]
    frame = (own or list(frames))[-1]
    path = Path(frame.filename)
    shown = path.relative_to(CLONE) if path.is_relative_to(CLONE) else path
    return f"{shown}, line {frame.lineno}, in {frame.name}"
