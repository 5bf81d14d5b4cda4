"""Sample sales among real ones: whether there are any of those, and taking back what one load made."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workbench import locale
from workbench.accounts.actor import Actor, as_actor
from workbench.database.engines import Engines
from workbench.database.sql_files import run_sql, write_sql
from workbench.database.writes import analyze, commit, master_in_words
from workbench.errors import RealSales, SampleChanged, WorkbenchError
from workbench.locale import N_, _, ngettext
from workbench.words import counted

MOST_NAMED = 5
NONE_LEFT = N_("There is no such load of sample sales, or nothing is left of it.")


@dataclass(frozen=True)
class Load:
    """A load of sample sales of which ``sales`` are left, and ``returns``, ``changed`` of both by somebody since.

    It has ``made`` so many of the sales that were ``asked`` for: fewer while it goes on, and when it was killed.
    """

    load_id: int
    loaded_at: datetime
    actor: str
    sales: int
    changed: int
    made: int
    asked: int
    returns: int = 0

    @property
    def text(self) -> str:
        """``3,000 sales and 62 returns``."""
        return sales_text(self.sales, self.returns)

    @property
    def note(self) -> str:
        """That it ended early, in words; empty when it did not."""
        if self.made >= self.asked:
            return ""
        return _("ended early, after {n} of {sales}", n=locale.number(self.made), sales=counted(self.asked, "sale"))


@dataclass(frozen=True)
class Undone:
    """What an undo took away."""

    load_id: int
    sales: int
    lines: int
    seconds: float
    returns: int = 0

    @property
    def text(self) -> str:
        """``3,000 sample sales and 62 returns with 8,200 lines``."""
        return with_lines(sales_text(self.sales, self.returns, "sample sale"), self.lines)


def sales_text(sales: int, returns: int, noun: str = "sale") -> str:
    """``3,000 sales and 62 returns``; of returns nothing where there are none."""
    if not returns:
        return counted(sales, noun)
    return _("{one} and {other}", one=counted(sales, noun), other=counted(returns, "return"))


def with_lines(sales: str, lines: int) -> str:
    """The same with how many lines they have."""
    return _("{sales} with {lines}", sales=sales, lines=counted(lines, "line"))


def refuse_real(engines: Engines) -> None:
    """Raises RealSales when the master holds a sale that no load of sample data made, and ServerUnavailable."""
    with master_in_words(engines), engines.master_reader.connect() as connection:
        if run_sql(connection, "sample/has_real").scalar_one():
            raise RealSales(_("There are sales here that are not made up: nothing was loaded among them."))


def loads(engines: Engines) -> list[Load]:
    """The loads of which something is left, newest first. Raises ServerUnavailable."""
    with master_in_words(engines), engines.master_reader.connect() as connection:
        return [Load(**row) for row in run_sql(connection, "sample/loads").mappings()]


def undo(
    engines: Engines, load_id: int | None = None, *, also_changed: bool = False, actor: Actor | str = ""
) -> Undone:
    """Takes back exactly the sales of one load (None: the newest): all of them or none, in one transaction.

    Raises SampleChanged when some were changed since, unless ``also_changed``; WorkbenchError when nothing is left of
    it; RoleRefused, SignedOut, ServerUnavailable and OutcomeUnknown. Others go on meanwhile, but for changes of these
    very sales.
    """
    who = as_actor(actor).need("admin", N_("To take back sample sales")).name
    started = time.monotonic()
    of = {"load_id": load_id or _newest(engines)}
    with master_in_words(engines), engines.owner.connect() as connection:

        def run(name: str, **values: object) -> sa.CursorResult[Any]:
            return write_sql(connection, f"sample/{name}", of | values)

        left = run("lock_load").one()
        if not left.sales + left.returns:
            raise WorkbenchError(_(NONE_LEFT))
        changed = list(run("changed_of_load").scalars())
        if changed and not also_changed:
            raise SampleChanged(_changed_text(changed, left.sales, left.returns))
        run("delete_changed", ids=changed)
        run_sql(connection, "bulk/without_row_triggers")
        run("delete_lines_of_load")
        run("delete_sales_of_load")
        run("audit_undo", actor=who, before=json.dumps(of | dict(left._mapping)))
        commit(connection)
        analyze(connection)
    return Undone(of["load_id"], left.sales, left.lines, time.monotonic() - started, left.returns)


def _newest(engines: Engines) -> int:
    found = loads(engines)
    if not found:
        raise WorkbenchError(_(NONE_LEFT))
    return found[0].load_id


def _changed_text(changed: list[int], sales: int, returns: int) -> str:
    named = ", ".join(map(str, changed[:MOST_NAMED])) + (", ..." if len(changed) > MOST_NAMED else "")
    return ngettext(
        "{n} of the {sales} of this load was changed since (transaction {named}). Nothing was removed.",
        "{n} of the {sales} of this load were changed since (transaction {named}). Nothing was removed.",
        len(changed),
        n=locale.number(len(changed)),
        sales=sales_text(sales, returns),
        named=named,
    )
