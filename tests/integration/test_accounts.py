"""Accounts, logins and roles on a real master: who may in, for how long, and what is written in whose name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.accounts import PASSWORD, make
from tests.conftest import wait_until
from tests.examples import sale
from workbench import migrations
from workbench.accounts import accounts
from workbench.accounts.actor import NOBODY, Actor
from workbench.accounts.logins import Logins
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.database.engines import Engines
from workbench.database.replication import ReadPosition
from workbench.errors import (
    AccountError,
    LoginRefused,
    RoleRefused,
    SettingsError,
    SignedOut,
    TooManyTries,
    WorkbenchError,
)
from workbench.filters.saved_views import SavedViews
from workbench.sample import load, loads, undo

HERE = "192.0.2.1"


@pytest.fixture
def logins(engines: Engines) -> Logins:
    """The logins of a process, which looks at them when it is told to."""
    return Logins(engines, 3600)


def days_ago(settings: Settings, days: int) -> str:
    """Noon of that day on the stores' clock."""
    return f"{settings.clock.today() - timedelta(days=days)} 00:00:01"


def test_a_login_is_begun_found_by_another_process_and_ended(engines: Engines, logins: Logins) -> None:
    make(engines, "Ana", "editor", [3, 5])
    token = logins.begin("aNA", PASSWORD, HERE)
    elsewhere = Logins(engines, 3600)
    found = elsewhere.find(token)
    assert found is not None
    assert (found.actor.name, found.actor.role, found.actor.stores) == ("Ana", "editor", {3, 5})
    logins.end(token)
    elsewhere.look()
    assert (logins.find(token), elsewhere.find(token), Logins(engines, 3600).find(token)) == (None, None, None)
    with pytest.raises(SignedOut):
        found.actor.need("viewer", "To look")


def test_wrong_unknown_and_disabled_are_refused_by_the_same_words_and_work(
    engines: Engines, logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same work takes the same time: each is one look at a hash."""
    make(engines, "ana", "admin")
    make(engines, "bob", "admin")
    accounts.set_disabled(engines, "bob", True)
    accounts.add(engines, "carl@example.com", None, "admin")
    looked: list[str | None] = []
    hasher = logins.begin.__globals__["is_right"]
    monkeypatch.setitem(
        logins.begin.__globals__, "is_right", lambda text, stored: looked.append(stored) or hasher(text, stored)
    )
    said = set()
    for name, password in (("ana", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("carl@example.com", "")):
        with pytest.raises(LoginRefused) as refused:
            logins.begin(name, password, HERE)
        said.add(str(refused.value))
    assert said == {"Name or password is wrong."}
    assert [stored is None for stored in looked] == [False, True, True, True]


def test_the_sixth_wrong_password_waits_and_other_addresses_do_not(engines: Engines, logins: Logins) -> None:
    make(engines, "ana", "admin")
    for _ in range(5):
        with pytest.raises(LoginRefused):
            logins.begin("ana", "wrong", HERE)
    with pytest.raises(TooManyTries, match="Try again in"):
        logins.begin("ANA", PASSWORD, HERE)  # were it let in, who guesses would know that it is right
    assert logins.begin("ana", PASSWORD, "192.0.2.2")


def test_a_right_password_forgets_what_was_mistyped(engines: Engines, logins: Logins) -> None:
    make(engines, "ana", "admin")
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(LoginRefused):
                logins.begin("ana", "wrong", HERE)
        assert logins.begin("ana", PASSWORD, HERE)


@pytest.mark.parametrize(
    "ends",
    [
        lambda engines: accounts.set_disabled(engines, "ana", True),
        lambda engines: accounts.reset_password(engines, "ana", "another " + PASSWORD),
    ],
    ids=["disabled", "reset"],
)
def test_logins_end_with_the_account_and_pages_are_told(
    engines: Engines, logins: Logins, ends: Callable[[Engines], object]
) -> None:
    class Page:
        is_closed = False

    make(engines, "ana", "admin")
    login = logins.find(logins.begin("ana", PASSWORD, HERE))
    assert login is not None
    page = Page()
    login.follow(page, lambda one: setattr(one, "is_closed", True))
    logins.look()
    assert not page.is_closed
    ends(engines)
    logins.look()
    assert page.is_closed
    with pytest.raises(SignedOut, match="Log in again"):
        login.actor.need("viewer", "To look")
    accounts.set_disabled(engines, "ana", False)
    logins.look()
    assert login.is_over  # it does not come back


def test_a_login_ends_by_time(engines: Engines) -> None:
    make(engines, "ana", "admin")
    logins = Logins(engines, 1)
    token = logins.begin("ana", PASSWORD, HERE)
    wait_until(lambda: logins.find(token) is None, "the login to end")
    assert logins.find(token) is None


def test_another_role_counts_at_once_where_the_page_is_open(
    engines: Engines, workbench: Workbench, logins: Logins
) -> None:
    make(engines, "ana", "editor")
    login = logins.find(logins.begin("ana", PASSWORD, HERE))
    assert login is not None
    sales = workbench.sales(actor=login.actor)
    assert sales.create(sale(transaction_time=None), uuid4()).version == 1
    accounts.change(engines, "ana", "viewer")
    logins.look()
    with pytest.raises(RoleRefused, match="needs the role editor or admin; ana is a viewer"):
        sales.create(sale(transaction_time=None), uuid4())


def test_passwords_and_names_that_cannot_be_are_refused(engines: Engines) -> None:
    for name, password in (
        ("ana", "short"),
        ("ana", "x" * 201),
        ("ana", "ana-and-more"),
        ("a b", PASSWORD),
        ("", PASSWORD),
    ):
        with pytest.raises(AccountError):
            accounts.add(engines, name, password, "admin")
    with pytest.raises(AccountError, match="Stores bind an editor alone"):
        accounts.add(engines, "ana", PASSWORD, "viewer", [3])
    make(engines, "ana", "viewer")
    with pytest.raises(AccountError, match="already"):
        make(engines, "ANA", "admin")
    with pytest.raises(AccountError, match="no account 'bob'"):
        accounts.set_disabled(engines, "bob", True)
    assert [account.account_name for account in accounts.find_all(engines)] == ["ana"]


def test_the_app_is_refused_without_an_admin_who_can_log_in(engines: Engines) -> None:
    make(engines, "ana", "admin")
    accounts.set_disabled(engines, "ana", True)
    make(engines, "bob", "editor")
    accounts.add(engines, "carl@example.com", None, "admin")
    with pytest.raises(SettingsError, match="workbench user add NAME --role admin"):
        accounts.refuse_without_admin(engines)
    accounts.refuse_without_admin(engines, by_password=False)
    accounts.set_disabled(engines, "ana", False)
    accounts.refuse_without_admin(engines)


def test_neither_writer_nor_reader_reads_hashes_or_writes_accounts(engines: Engines) -> None:
    make(engines, "ana", "viewer")
    forbidden = (
        "select password_hash from account",
        "update account set role = 'admin'",
        "insert into login (token_hash, account_id, ends_at) values ('x', 1, 'infinity')",
    )
    for engine in (engines.master, engines.master_reader):
        for statement in forbidden:
            with engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied|read-only"):
                connection.execute(sa.text(statement))


def every_write(workbench: Workbench, actor: Actor) -> dict[str, Callable[[], object]]:
    """Everything that writes, tried by ``actor`` on a sale of an admin's."""
    made = workbench.sales().create(sale(transaction_time=None), uuid4())
    own, engines = workbench.sales(actor=actor), workbench.engines
    gone = workbench.sales().create(sale(transaction_time=None), uuid4())
    workbench.sales().delete(gone.transaction_id, 1, uuid4(), "mistyped")
    deletion = workbench.sales().history(gone.transaction_id).value[0].audit_id
    changed = sale(transaction_time=made.transaction_time.isoformat(sep=" "), cashier_id=9)  # type: ignore[union-attr]
    views = SavedViews(engines, workbench.reader, ReadPosition(), actor)
    return {
        "create": lambda: own.create(sale(transaction_time=None), uuid4()),
        "update": lambda: own.update(made.transaction_id, 1, changed, uuid4()),
        "delete": lambda: own.delete(made.transaction_id, 2, uuid4(), "mistyped"),
        "share": lambda: views.save("for all", "tab=sales", is_shared=True),
        "own view": lambda: views.save("mine", "tab=sales"),
        "take back": lambda: own.undo(gone.transaction_id, deletion, uuid4()),
        "load": lambda: load(engines, 10, actor=actor),
        "undo": lambda: undo(engines, loads(engines)[0].load_id, actor=actor),
        "migrate": lambda: migrations.migrate(engines, actor=actor),
    }


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (Actor("vic", "viewer"), {"own view"}),
        (Actor("eve", "editor"), {"own view", "share", "create", "update", "delete"}),
        (
            Actor("ann", "admin"),
            {"own view", "share", "create", "update", "delete", "take back", "load", "undo", "migrate"},
        ),
        (NOBODY, set[str]()),
    ],
    ids=lambda given: given.role if isinstance(given, Actor) else "",
)
def test_each_role_writes_what_it_may_and_is_refused_the_rest(
    workbench: Workbench, actor: Actor, may: set[str]
) -> None:
    with workbench.engines.owner.begin() as connection:
        connection.execute(sa.text("delete from saved_view"))
    writes, done = every_write(workbench, actor), set()
    load(workbench.engines, 5)
    for what, write in writes.items():
        try:
            write()
        except (RoleRefused, SignedOut):
            continue
        done.add(what)
    assert done == may
    with workbench.engines.owner.connect() as connection:
        actors = set(connection.execute(sa.text("select distinct actor from audit_log")).scalars())
        owners = set(connection.execute(sa.text("select distinct owner from saved_view")).scalars())
    assert ((actor.name in actors), (actor.name in owners)) == ("create" in may, "own view" in may)


def test_an_editor_writes_the_sales_of_two_days_an_admin_all(workbench: Workbench, settings: Settings) -> None:
    admin, editor = workbench.sales(), workbench.sales(actor=Actor("eve", "editor"))
    assert editor.create(sale(transaction_time=days_ago(settings, 1)), uuid4())
    with pytest.raises(RoleRefused, match="of today and yesterday: what is older needs the role admin"):
        editor.create(sale(transaction_time=days_ago(settings, 2)), uuid4())
    old = admin.create(sale(transaction_time=days_ago(settings, 2)), uuid4()).transaction_id
    new = admin.create(sale(transaction_time=None), uuid4()).transaction_id
    for tried in (
        lambda: editor.update(old, 1, sale(transaction_time=days_ago(settings, 0)), uuid4()),  # pulled near
        lambda: editor.update(new, 1, sale(transaction_time=days_ago(settings, 2)), uuid4()),  # pushed away
        lambda: editor.delete(old, 1, uuid4(), "mistyped"),
    ):
        with pytest.raises(RoleRefused):
            tried()
    assert {admin.get(made, for_edit=True).value.version for made in (old, new)} == {1}
    assert admin.delete(old, 1, uuid4(), "mistyped")


def test_an_editor_of_a_store_sees_all_and_writes_its_own_alone(workbench: Workbench, settings: Settings) -> None:
    now = days_ago(settings, 0)
    admin, editor = workbench.sales(), workbench.sales(actor=Actor("eve", "editor", frozenset([3])))
    own = editor.create(sale(transaction_time=now, store_id=3), uuid4()).transaction_id
    other = admin.create(sale(transaction_time=now, store_id=4), uuid4()).transaction_id
    for tried in (
        lambda: editor.create(sale(transaction_time=now, store_id=4), uuid4()),
        lambda: editor.update(own, 1, sale(transaction_time=now, store_id=4), uuid4()),  # to
        lambda: editor.update(other, 1, sale(transaction_time=now, store_id=3), uuid4()),  # from
        lambda: editor.delete(other, 1, uuid4(), "mistyped"),
    ):
        with pytest.raises(RoleRefused, match=r"of store 4. eve writes those of store 3 alone"):
            tried()
    assert editor.get(other).value.store_id == 4
    assert editor.update(own, 1, sale(transaction_time=now, store_id=3, cashier_id=8), uuid4()).version == 2
    assert editor.delete(own, 2, uuid4(), "mistyped")


def test_who_is_logged_in_reads_on_while_the_master_is_away(engines: Engines, logins: Logins) -> None:
    make(engines, "ana", "admin")
    token = logins.begin("ana", PASSWORD, HERE)
    away = engines.__class__(
        **{**engines.__dict__, "master_reader": sa.create_engine("postgresql+psycopg2://x:x@127.0.0.1:9/sales")}
    )
    wait_until(lambda: Logins(away, 3600).find(token) is not None, "the replica to have it")
    nowhere = away.__class__(**{**away.__dict__, "replica": away.master_reader})
    known = Logins(nowhere, 3600)
    with pytest.raises(WorkbenchError):
        known.find(token)
