"""Files that hold passwords: read only while nobody else can read them, and one of them anew for each connection."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from pydantic import SecretStr

from workbench.errors import SettingsError

WHOLE = re.compile("[!-~]+")  # what else stands there is damage
OTHERS = stat.S_IRWXG | stat.S_IRWXO
SECRET = re.compile(r"^\s*(?:export\s+)?(\w*(?:PASSWORD|SECRET|KEY_HEX)\w*)\s*=\s*['\"]?[^\s'\"#]", re.MULTILINE)


def variable(role: str) -> str:
    """The name under which a file of passwords has the one of a role: ``WORKBENCH_WRITER_PASSWORD``."""
    return f"{role.upper()}_PASSWORD"


def role_passwords(path: Path) -> dict[str, SecretStr]:
    """What a file of passwords has by variable; nothing when there is no such file."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    return {name: SecretStr(text) for name, text in pairs.items() if WHOLE.fullmatch(text)}


def refuse_readable(path: Path, content: str) -> None:
    """Raises SettingsError for a file with secrets that other users of this machine may read or change."""
    found = SECRET.search(content)
    if os.name == "posix" and found and stat.S_IMODE(path.stat().st_mode) & OTHERS:
        raise SettingsError(
            f"{path} holds {found[1]}, and other users of this machine may read it (mode"
            f" {stat.S_IMODE(path.stat().st_mode):04o}). Close it (`chmod 600 {path}`), and change its passwords if"
            " somebody else may have read them."
        )
