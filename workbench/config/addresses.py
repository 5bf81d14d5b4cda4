"""Addresses as they are written: hosts as a browser names them (``localhost:5006``, ``[::1]:5006``), and mail's."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

Host = tuple[str, int | None]  # the port is None where none is named: it is the scheme's own

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SCHEMES = (80, 443)  # the ports that browsers leave out
_ORIGIN = re.compile(r"https?://(?P<host>[^/\s]+)/?")
_WRITTEN = re.compile(r"(?:\[(?P<ip>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?)(?::(?P<port>\d{1,5}))?")


def read_host(text: str) -> Host | None:
    """The host that ``text`` names, in one spelling whatever its case; None for all that is no host."""
    found = _WRITTEN.fullmatch(text.lower())
    if found is None:
        return None
    name = found["name"] or plain_address(found["ip"])
    return (name, int(found["port"]) if found["port"] else None) if name else None


def plain_address(text: str) -> str:
    """An IP address in one spelling; empty when it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def hosts_at(names: Iterable[str], ports: Iterable[int]) -> set[Host]:
    """Each name with each port, and by itself where a browser would leave the port out."""
    written = {port: {port, None} if port in SCHEMES else {port} for port in ports}
    return {(name, either) for name in names for some in written.values() for either in some}


def listed_hosts(text: str) -> set[Host]:
    """The hosts of a list with commas; without a port they have the scheme's. Raises ValueError naming a bad one."""
    found: set[Host] = set()
    for entry in filter(None, map(str.strip, text.split(","))):
        host = read_host(entry)
        if host is None:
            raise ValueError(f"{entry!r} is no host such as sales.example.com or localhost:7000")
        found |= hosts_at([host[0]], SCHEMES if host[1] is None else [host[1]])
    return found


def listed_origins(text: str) -> list[str]:
    """The origins of a list with commas, without a final slash. Raises ValueError naming a bad one."""
    found = []
    for entry in filter(None, map(str.strip, text.split(","))):
        origin = _ORIGIN.fullmatch(entry.lower())
        if origin is None or read_host(origin["host"]) is None:
            raise ValueError(f"{entry!r} is no origin such as https://intranet.example.com")
        found.append(entry.lower().rstrip("/"))
    return found


MOST_LETTERS = 254
_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_NAME}(?:\.{_NAME})*@{_LABEL}(?:\.{_LABEL})*")


def checked_address(text: str) -> str:
    """The bare address, as ``ann@example.com``. Raises ValueError; nothing that could end a header is one."""
    address = text.strip(" ")
    if len(address) > MOST_LETTERS or not _ADDRESS.fullmatch(address):
        raise ValueError(f"{text[:80]!r} is no address such as ann@example.com")
    return address


def checked_addresses(texts: Iterable[str]) -> tuple[str, ...]:
    """The addresses of lists with commas, each once. Raises ValueError for the first that is none."""
    return tuple(dict.fromkeys(checked_address(part) for text in texts for part in text.split(",")))
