"""GET /alive, for tests (``panel serve --plugins tests.ui.alive``): how many objects of a class the process holds."""

from __future__ import annotations

import gc
from typing import Any

from tornado.web import RequestHandler


class Alive(RequestHandler):
    """``/alive?of=Page`` answers with a number, after garbage was collected."""

    def get(self) -> None:
        name = self.get_argument("of")
        gc.collect()
        self.finish(str(sum(type(found).__name__ == name for found in gc.get_objects())))


ROUTES: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [("/alive", Alive, {})]
