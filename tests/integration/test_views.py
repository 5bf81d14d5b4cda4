"""Named views: whose they are, who sees them, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.conftest import free_ports
from workbench.config import Settings
from workbench.connection import Workbench
from workbench.dashboards import SalesDashboard
from workbench.database.engines import connect
from workbench.database.positions import wait_for_replica
from workbench.database.replication import Reader, ReadPosition
from workbench.errors import FieldError, ServerUnavailable
from workbench.filters.saved_views import NAME_LENGTH, STATE_LENGTH, SavedViews

STATE = "tab=Products&stores=1&stores=2&q=caf%C3%A9"


@pytest.fixture(autouse=True)
def _no_views(workbench: Workbench) -> None:
    with workbench.engines.owner.begin() as connection:
        connection.execute(sa.text("delete from saved_view"))


def views(workbench: Workbench, owner: str) -> SavedViews:
    return SavedViews(workbench.engines, workbench.reader, ReadPosition(), owner)


def found(saved: SavedViews) -> list[tuple[str, str]]:
    return [(view.owner, view.view_name) for view in saved.find().value]


def test_a_saved_view_is_found_again_at_once_as_it_was(workbench: Workbench) -> None:
    ann = views(workbench, " ann ")
    saved = ann.save("  My week ", "?" + STATE)
    assert (saved.owner, saved.view_name, saved.state, saved.is_shared) == ("ann", "My week", STATE, False)
    assert ann.find().value == [saved]


def test_others_see_what_is_shared_after_their_own(workbench: Workbench) -> None:
    ann, bob = views(workbench, "ann"), views(workbench, "bob")
    ann.save("b private", STATE)
    ann.save("Shared", STATE, is_shared=True)
    ann.save("also shared", STATE, is_shared=True)
    bob.save("zoo", STATE)
    assert found(bob) == [("bob", "zoo"), ("ann", "also shared"), ("ann", "Shared")]
    assert found(ann) == [("ann", "also shared"), ("ann", "b private"), ("ann", "Shared")]


def test_a_name_is_the_owners_once(workbench: Workbench) -> None:
    ann, bob = views(workbench, "ann"), views(workbench, "bob")
    first = ann.save("Café", "a=1")
    with pytest.raises(FieldError, match="View Name 'cafe\u0301' cannot be used: you have another view of this name"):
        ann.save("cafe\u0301", "a=2")
    bob.save("Café", "a=3")
    replaced = ann.save("CAFÉ", "a=4", is_shared=True, may_replace=True)
    assert replaced.saved_view_id == first.saved_view_id
    assert replaced.updated_at > first.updated_at
    assert [(view.view_name, view.state, view.is_shared) for view in ann.find().value] == [("CAFÉ", "a=4", True)]


def test_renaming_to_a_name_that_is_taken_is_refused(workbench: Workbench) -> None:
    ann = views(workbench, "ann")
    ann.save("one", STATE)
    two = ann.save("two", STATE)
    with pytest.raises(FieldError, match="another view of this name"):
        ann.rename(two.saved_view_id, "ONE")
    assert ann.rename(two.saved_view_id, "Two").view_name == "Two"
    assert found(ann) == [("ann", "one"), ("ann", "Two")]


def test_only_the_owner_renames_and_deletes(workbench: Workbench) -> None:
    ann, bob = views(workbench, "ann"), views(workbench, "bob")
    shared = ann.save("Shared", STATE, is_shared=True)
    with pytest.raises(FieldError, match="it must be a view of your own"):
        bob.rename(shared.saved_view_id, "Mine now")
    with pytest.raises(FieldError, match="it must be a view of your own"):
        bob.delete(shared.saved_view_id)
    bob.save("Shared", "b=1", may_replace=True)
    assert ann.find().value == [shared]
    assert ann.delete(shared.saved_view_id) == shared
    with pytest.raises(FieldError, match="still there"):
        ann.delete(shared.saved_view_id)
    assert found(ann) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is missing: please fill it in"),
        (" \t ", "is missing: please fill it in"),
        (None, "it must be text"),
        (7, "it must be text"),
        ("x" * (NAME_LENGTH + 1), "at most 100 characters"),
        ("a\nb", "in one line, without U\\+000A"),
        ("a\x00b", "without U\\+0000"),
        ("a\u2028b", "a.U\\+2028.b. cannot be used: .* without U\\+2028 LINE SEPARATOR"),
        ("a\ud800b", "without U\\+D800"),
        ("a\u202eb", "without U\\+202E RIGHT-TO-LEFT OVERRIDE"),
    ],
)
def test_a_wrong_name_is_refused_and_nothing_is_saved(workbench: Workbench, name: object, message: str) -> None:
    ann = views(workbench, "ann")
    with pytest.raises(FieldError, match=message) as refused:
        ann.save(name, STATE)
    assert refused.value.field == "view_name"
    if name is not None:  # else it is whoever acts here
        with pytest.raises(FieldError, match=message):
            views(workbench, name)
    assert found(ann) == []


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("x" * (STATE_LENGTH + 1), "at most 8000 characters"),
        ("a=1\r\nSet-Cookie: x", "without U\\+000D"),
        (None, "it must be text"),
        ({"a": 1}, "it must be text"),
    ],
)
def test_a_wrong_state_is_refused(workbench: Workbench, state: object, message: str) -> None:
    with pytest.raises(FieldError, match=message) as refused:
        views(workbench, "ann").save("name", state)
    assert refused.value.field == "state"


def test_the_longest_values_fit(workbench: Workbench) -> None:
    ann = views(workbench, "ä" * NAME_LENGTH)
    saved = ann.save("€" * NAME_LENGTH, "?" + "x" * STATE_LENGTH)
    assert ann.find().value == [saved]


def test_hostile_text_stays_text(workbench: Workbench) -> None:
    name = "'; drop table saved_view; -- :owner %s <script>"
    ann = views(workbench, name)
    assert ann.save(name, name).view_name == name
    assert found(ann) == [(name, name)]


def test_the_database_refuses_a_blank_name_whoever_writes(workbench: Workbench) -> None:
    insert = sa.text("insert into saved_view (owner, view_name, state) values ('ann', ' ', '')")
    with workbench.engines.master.connect() as connection, pytest.raises(DBAPIError, match="name_not_blank"):
        connection.execute(insert)


def test_a_master_that_is_away_is_said_in_words(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    engines = connect(
        Settings(_env_file=None, workbench_data_dir=tmp_path, master_db_host="127.0.0.1", master_db_port=port)
    )
    saved = SavedViews(engines, Reader(engines), ReadPosition(), "ann")
    with pytest.raises(ServerUnavailable, match=f"The master at 127.0.0.1:{port} does not answer"):
        saved.save("name", STATE)
    with pytest.raises(ServerUnavailable):
        saved.find()


@pytest.mark.filterwarnings("default")  # 2026-11: HoloViews and Panel warn of themselves when all is drawn
def test_a_view_that_cannot_be_read_is_opened_with_words_and_the_others_are_there(workbench: Workbench) -> None:
    """Rows of another version, or of somebody who wrote into the table."""
    ann = views(workbench, "ann")
    good = ann.save("Good", "period=last_7_days&stores=2")
    with workbench.engines.owner.begin() as connection:
        for number, state in enumerate(('{"version": 9, "stores": [', "v=9&stores=x&period=soon", "%ff%00=1", "=&&;")):
            values = {"name": f"bad {number}", "state": state}
            connection.execute(
                sa.text("insert into saved_view (owner, view_name, state) values ('ann', :name, :state)"), values
            )
    assert wait_for_replica(workbench.engines)
    dashboard = SalesDashboard(workbench)
    dashboard.feed.live.stop()
    there = ann.find().value
    assert len(there) == 5
    for view in there:
        dashboard._open_view(view.state)
        said = dashboard._said.title if dashboard._said.visible else ""
        assert bool(said) == (view != good), (view.state, said)
    dashboard._open_view("v=9&stores=x&period=soon")
    assert "by another version, or is damaged: v means nothing here." in dashboard._said.title
    assert "stores cannot be 'x': it was left out." in dashboard._said.title
    dashboard._open_view(good.state)
    assert dashboard.feed.filters.stores == [2]
