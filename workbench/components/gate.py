"""The gate of a served app: a request that names a host which is not the app's own is refused, whatever it asks for.

Otherwise a page of anybody's reads all sales: its owner lets the page's name point to this machine (DNS rebinding), and
the browser then takes the app for a part of that page. Host and Origin are both that name, so that the check of the
origin finds nothing wrong.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from workbench.components.headers import Guarded
from workbench.config import load_settings
from workbench.config.hosts import LOOPBACK, Host, hosts_at, listed_hosts, plain_address, read_host
from workbench.errors import SettingsError

REFUSAL = (
    "The sales workbench does not go by the name that this request gives it (its header Host). If that name is yours,"
    " for a proxy or a tunnel, add it to WORKBENCH_ALLOWED_HOSTS as the browser's address bar has it, and restart.\n"
)


def keep() -> None:
    """Has every server of this process refuse unknown hosts, and send its headers, from the next request on.

    Panel's own routes, assets, websockets and unknown paths all go through this one method of Tornado's. Safe to call
    again.
    """
    find = BokehTornado.find_handler
    if find.__module__ == __name__:
        return

    def find_known(app: BokehTornado, request: HTTPServerRequest, **options: Any) -> Any:
        if Guarded not in app.transforms:
            app.transforms.insert(0, Guarded)  # before one that would compress what it looks at
        if is_known(request):
            return find(app, request, **options)
        return app.get_handler_delegate(request, Refused)

    BokehTornado.find_handler = find_known  # type: ignore[assignment]


def is_known(request: HTTPServerRequest) -> bool:
    """Whether the request names this server: loopback or the address that it came to, with the port, or a set name."""
    host = read_host(request.headers.get("Host", ""))
    return host is not None and (host in _came_to(request) or host in _named())


def _came_to(request: HTTPServerRequest) -> set[Host]:
    """An address cannot be pointed elsewhere, so the one on which the connection arrived is always the app's own."""
    stream = getattr(request.connection, "stream", None)
    local = stream.socket.getsockname() if stream is not None and stream.socket is not None else None
    if not isinstance(local, tuple):  # closed already, or no TCP
        return set()
    return hosts_at({*LOOPBACK, plain_address(local[0])}, [local[1]])


def _named() -> set[Host]:
    try:
        return _of_settings()
    except SettingsError:
        return set()  # the page says what is wrong with them


@cache
def _of_settings() -> set[Host]:
    settings = load_settings()
    return listed_hosts(settings.workbench_allowed_hosts) | hosts_at(LOOPBACK, [settings.workbench_port])


class Refused(RequestHandler):
    """Answers 403, whatever is asked."""

    def prepare(self) -> None:
        """Before any method is looked for."""
        raise HTTPError(403)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Plain text, which repeats nothing of the request."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(REFUSAL)
