"""An engine signs in with the password that counts now, so that it can be changed while the program runs."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
import sqlalchemy as sa

from workbench.config import Server
from workbench.database.libpq import without_variables

CHANGE_SECONDS = 2.0  # between the server's change and that of the file, or of the replica
LOOK_SECONDS = 0.05
REFUSED = "password authentication failed"  # there is no code for it: a connection that is not made has none


def signing_in(engine: sa.Engine, server: Server) -> sa.Engine:
    """The engine, whose connections are made without ``PG*`` variables and with the password as it is then."""

    def connect(dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        end = time.monotonic() + CHANGE_SECONDS
        while True:
            try:
                with without_variables():
                    return dialect.connect(*arguments, **named | {"password": server.current_password()})
            except psycopg2.OperationalError as error:
                if not server.passwords_file or REFUSED not in str(error) or time.monotonic() > end:
                    raise
            time.sleep(LOOK_SECONDS)

    sa.event.listen(engine, "do_connect", connect)
    return engine
