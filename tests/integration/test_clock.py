"""One clock: sales are stamped and times told in the stores' zone, whatever that of machine, browser or session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests.conftest import wait_until
from tests.examples import LATTE, sale, sale_data
from workbench.config import Settings, clock
from workbench.connection import Workbench, connect
from workbench.dashboards import TotalTransactions
from workbench.database.engines import Engines
from workbench.database.replication import Reader, ReadPosition
from workbench.database.sql_query import query
from workbench.errors import SaleRefused
from workbench.filters import Filters
from workbench.filters.saved_views import SavedViews
from workbench.forms import SalesManager
from workbench.metrics import Source, ask
from workbench.sales.models import parse_sale
from workbench.sample import load
from workbench.servers import health

# Bokeh 3.9 hands data frames over in a way that pandas 3.1 means to end.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
FAR = "Pacific/Kiritimati"  # 14 hours ahead of UTC


@pytest.fixture
def far(settings: Settings, engines: Engines) -> Iterator[Workbench]:
    """A workbench whose stores are 14 hours ahead of UTC."""
    made = connect(settings.model_copy(update={"workbench_timezone": FAR}))
    yield made
    made.close()


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "utc_now", lambda: moment)


def untimed() -> object:
    return parse_sale(sale_data(transaction_time=""))


def test_a_sale_without_a_time_gets_the_moment_of_saving_once(far: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    sales, request_id = far.sales(), uuid4()
    at(monkeypatch, datetime(2026, 3, 18, 9, 59, 59, tzinfo=UTC))
    saved = sales.create(untimed(), request_id)
    assert saved.transaction_time == datetime(2026, 3, 18, 23, 59, 59)
    at(monkeypatch, datetime(2026, 3, 18, 10, 0, 5, tzinfo=UTC))
    again = sales.create(untimed(), request_id)  # sent again after its answer was lost: not another sale
    assert (again.is_repeat, again.transaction_time) == (True, saved.transaction_time)
    stored = sales.get(saved.transaction_id, for_edit=True).value
    assert stored.transaction_time == saved.transaction_time
    with pytest.raises(SaleRefused, match="Transaction Time"):
        sales.update(saved.transaction_id, stored.version, untimed(), uuid4())


def test_a_form_left_open_over_midnight_stamps_the_moment_of_saving(
    far: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enter_and_save() -> SalesManager:
        at(monkeypatch, datetime(2026, 3, 18, 9, 59, tzinfo=UTC))
        manager = SalesManager(far, actor="tester")
        form = manager.add.form
        assert "Pacific/Kiritimati" in form.fields.widgets["transaction_time"].helper_text
        form.fields.fill({"cashier_id": "301", "store_id": "3"})
        form.basket.entry.fields.fill({name: str(value) for name, value in LATTE.items()})
        await form.basket.entry.add()
        at(monkeypatch, datetime(2026, 3, 18, 10, 1, tzinfo=UTC))
        await manager.add.save.run()
        return manager

    manager = asyncio.run(enter_and_save())
    assert "2026-03-19 00:01:00" in manager.add.message.text
    assert far.sales().get(1, for_edit=True).value.transaction_time == datetime(2026, 3, 19, 0, 1)


def test_a_sale_saved_now_is_in_today_and_samples_end_now(far: Workbench) -> None:
    far.sales().create(untimed(), uuid4())
    today = Filters(period="today", comparison="none")
    answer = ask(Source(far.reader, ReadPosition(None)), ["sales"], where=today.where(far.clock.now()))
    assert answer.value["sales"].tolist() == [1]
    tile = TotalTransactions(far, today)
    assert tile.feed.moment().now.date() == far.clock.today()
    tile.feed.live.stop()
    load(far.engines, 2000, seed=1)
    newest = query(far.reader, "select max(transaction_time) as at from sales_transaction", engine="master")["at"][0]
    assert far.clock.now() - timedelta(days=2) < newest.to_pydatetime() <= far.clock.now()


@pytest.fixture
def elsewhere(workbench: Workbench) -> Workbench:
    """A workbench whose connections come in the zone of Kolkata, as from a pooler that drops the startup options."""
    for engine in (workbench.engines.master, workbench.engines.master_reader, workbench.engines.replica):
        assert engine is not None
        sa.event.listen(engine, "checkout", _set_zone)
    return workbench


def _set_zone(connection: object, *_: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set time zone 'Asia/Kolkata'")
    connection.commit()


def test_times_are_read_right_in_a_session_of_any_zone(elsewhere: Workbench) -> None:
    engines, before = elsewhere.engines, datetime.now(UTC) - timedelta(seconds=30)
    sales = elsewhere.sales()
    saved = sales.create(sale(), uuid4())
    elsewhere.monitor.start()
    wait_until(lambda: elsewhere.monitor.last is not None, "a heartbeat")
    stored = sales.get(saved.transaction_id, for_edit=True)
    view = SavedViews(engines, elsewhere.reader, sales.read_position, "tester").save(uuid4().hex, "period=today")
    shown = query(Reader(engines), "select beat_at, array[beat_at] as several from heartbeat")
    found = health.status(engines)
    times = [stored.value.created_at, stored.as_of, view.updated_at, found.master.beat_at, found.replica.beat_at]
    times += [elsewhere.reader.read(ReadPosition(), lambda c: 1).as_of, shown.attrs["as_of"]]
    times += [shown["beat_at"][0].to_pydatetime()]
    assert shown["several"][0] == [shown["beat_at"][0]]
    for each in times:
        assert each is not None and each.utcoffset() == timedelta(0), each
        assert before < each < datetime.now(UTC) + timedelta(seconds=30)
    assert stored.value.transaction_time == sale().transaction_time  # the wall clock is nobody's to move
