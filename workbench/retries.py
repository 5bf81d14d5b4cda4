"""A write of a sale is tried again where that may help, and what ends it is put into words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from workbench.engines import Engines, is_disconnect
from workbench.errors import OutcomeUnknown, ServerUnavailable
from workbench.outage import unavailable

T = TypeVar("T")
RETRIED_STATES = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03")
ATTEMPTS = 4


class StillOpen(Exception):
    """The statement changed nothing and by now nothing says why: try it again."""


def retried(engines: Engines, operation: str, attempt: Callable[[], T]) -> T:
    """What ``attempt`` returns, tried ATTEMPTS times at most. ``operation`` is its verb, such as ``update``.

    Raises ServerUnavailable when nothing was saved, OutcomeUnknown when that is not known, and what ``attempt`` raises.
    """
    retrying = Retrying(
        retry=retry_if_exception(_is_worth_another_try),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except DBAPIError as error:
        raise _in_words(engines, operation, error) from error
    except PoolTimeout:
        raise ServerUnavailable("The master is busy: all its connections are in use. Try again.") from None


def _is_worth_another_try(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return is_disconnect(error) or getattr(error.orig, "pgcode", None) in RETRIED_STATES
    return isinstance(error, StillOpen)


def _in_words(engines: Engines, operation: str, error: DBAPIError) -> Exception:
    if getattr(error.orig, "pgcode", None) in ("57014", *RETRIED_STATES):
        return ServerUnavailable(
            f"The master took too long to {operation} the transaction: others hold it. Nothing was saved; try again."
        )
    if not is_disconnect(error):
        return error
    if error.connection_invalidated or not isinstance(error, OperationalError):
        return OutcomeUnknown(
            "The master went away while it was saving, so it is not known whether it did. Save again: a request that"
            " was already accepted is not done twice."
        )
    return unavailable(engines.settings, "master", error)
