"""TLS in front of a server that speaks none, as poolers have it: the wheel's PostgreSQL is built without."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from contextlib import suppress

IS_TLS_SPOKEN, YES = b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"S"


class TlsFront:
    """Lets in nobody without TLS; ``came`` counts those who said something then. The certificate is of these files."""

    def __init__(self, target: tuple[str, int], certificate: str, key: str) -> None:
        self._target, self.came = target, 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        port = Future[int]()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(port)), daemon=True)
        self._thread.start()
        self.port = port.result(10)

    def close(self) -> None:
        """Ends it, with all connections."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _serve(self, port: Future[int]) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._inside: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(self._let_in, "127.0.0.1", 0)
        port.set_result(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()
        for writer in self._inside:
            writer.transport.abort()
        await asyncio.sleep(0.1)  # they tell those who wait for them

    async def _let_in(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):  # ssl.SSLError is one: who came does not trust the certificate
            if await near.readexactly(len(IS_TLS_SPOKEN)) == IS_TLS_SPOKEN:
                to_near.write(YES)
                await to_near.start_tls(self._context)
                first = await near.readexactly(1)  # Java looks at the name in the certificate after the handshake
                self.came += 1
                far, to_far = await asyncio.open_connection(*self._target)
                self._inside |= {to_near, to_far}
                to_far.write(first)
                await asyncio.gather(_pass_on(near, to_far), _pass_on(far, to_near))
        to_near.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    target.close()
