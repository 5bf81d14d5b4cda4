"""A proxy to a server that does to connections what networks do: swallows, cuts before an answer, cuts after it."""

from __future__ import annotations

import ctypes
import math
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Literal

Moment = Literal["before the statement", "before the answer", "after the answer"]
_ATTACH_FILTER, _DROPS_ALL = 26, struct.pack("HBBI", 0x06, 0, 0, 0)  # Linux, which Python has no names for


class FaultProxy:
    """Passes everything on until it is told otherwise. ``cuts`` counts the connections that it cut at a statement."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target, self.is_open = target, threading.Event()
        self.is_open.set()
        self.cuts = 0
        self.most = math.inf  # bytes that are passed on until the connection that is answered then is swallowed
        self.pace = 0.0  # seconds for each piece of 64 KB of an answer
        self.is_gone = False  # once a connection was cut: nobody is let in any more
        self._lock = threading.Lock()
        self._pattern, self._moment, self._left = b"", "", 0
        self._sockets: list[socket.socket] = []
        self._gates: list[threading.Event] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, pattern: str, moment: Moment, times: int = 1) -> None:
        """Cuts the connections of the next ``times`` statements that contain ``pattern``."""
        with self._lock:
            self._pattern, self._moment, self._left = pattern.encode(), moment, times

    def cut_all(self) -> None:
        """Cuts every connection that is open now, whatever it does."""
        with self._lock:
            found, self._sockets = self._sockets, []
        for each in found:
            _end(each)

    def swallow(self) -> None:
        """From now on nothing is passed on, in either direction, and nothing is closed."""
        self.is_open.clear()

    def swallow_present(self) -> None:
        """The same for the connections that there are now; others are let in, as by a firewall that forgot them."""
        for gate in self._gates:
            gate.clear()

    def forget_present(self) -> None:
        """Also drops every packet of theirs, as a network does that lost them: not even the kernel answers."""
        self.swallow_present()
        program = ctypes.create_string_buffer(_DROPS_ALL)
        with self._lock:
            for each in self._sockets[::2]:
                with suppress(OSError):  # it was closed
                    each.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))

    def pass_on(self) -> None:
        """Passes on again what was swallowed, and all that comes."""
        for gate in (self.is_open, *self._gates):
            gate.set()

    def close(self) -> None:
        self.pass_on()
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                if self.is_gone and self.cuts:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
            except OSError:
                return  # closed: the test is over
            with self._lock:
                self._sockets += [near, far]
            due: list[str] = []
            gate = threading.Event()
            gate.set()
            self._gates.append(gate)
            threading.Thread(target=self._ask, args=(near, far, due, gate), daemon=True).start()
            threading.Thread(target=self._answer, args=(far, near, due, gate), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket, due: list[str], gate: threading.Event) -> None:
        """Client to server; ``due`` gets the moment at which this connection is cut."""
        try:
            while data := near.recv(1 << 16):
                self.is_open.wait()
                gate.wait()
                moment = self._due(data)
                if moment == "before the statement":
                    break
                if moment:
                    due.append(moment)
                far.sendall(data)
        except OSError:
            pass  # one side has gone
        finally:
            _end(near)
            _end(far)

    def _answer(self, far: socket.socket, near: socket.socket, due: list[str], gate: threading.Event) -> None:
        try:
            while data := far.recv(1 << 16):
                self.most -= len(data)
                if self.most < 0:
                    self.most = math.inf
                    gate.clear()
                self.is_open.wait()
                gate.wait()
                time.sleep(self.pace)
                if "before the answer" in due:
                    break
                near.sendall(data)
                if due:
                    break
        except OSError:
            pass
        finally:
            _end(near)
            _end(far)

    def _due(self, data: bytes) -> str:
        with self._lock:
            if self._left == 0 or self._pattern not in data:
                return ""
            self._left -= 1
            self.cuts += 1
            return self._moment


def _end(each: socket.socket) -> None:
    """Closed in order: what was sent before is still read at the other side."""
    with suppress(OSError):  # the other side was faster
        each.shutdown(socket.SHUT_RDWR)
    each.close()
