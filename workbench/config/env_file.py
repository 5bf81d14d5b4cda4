"""Files that hold passwords: ``.env``, changed all at once, and role passwords; none is read that others can read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
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


NAME = ".env"
PREPARED = ".new"  # ends the name of the file that is to take its place


def refuse_unusable(path: Path = Path(NAME)) -> None:
    """Raises SettingsError for a file that is not ours to trust, is no UTF-8 text, or shows its secrets to others."""
    try:
        if not path.is_file():
            return
        _refuse_strangers(path)
        _refuse_other_encodings(content := path.read_bytes())
        refuse_readable(path.absolute(), content.decode())
    except PermissionError as error:
        raise SettingsError(
            f"{NAME} in {_folder()} cannot be read: {error.strerror}. Make it readable for you (`chmod u+r {NAME}`,"
            f" or `chown` as who owns it), or start from another folder."
        ) from error


def prepare_change(values: Mapping[str, str]) -> dict[str, str]:
    """Writes a file beside it, with these values, that takes its place by ``finish_change``; returns its values.

    They are those of a change that was interrupted, where there is one: somebody may know them already.
    """
    path, prepared = _places()
    begun = {name: text for name, text in _values(prepared).items() if name in values}
    if begun.keys() == values.keys():
        return begun
    text = path.read_text(encoding="utf-8-sig")
    for name, value in values.items():
        text = re.sub(rf"^(\s*(?:export\s+)?{name}\s*=).*$", rf"\g<1>{value}", text, flags=re.MULTILINE)
    prepared.unlink(missing_ok=True)
    with os.fdopen(os.open(prepared, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        if os.name == "posix":
            os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return dict(values)


def finish_change() -> None:
    """Puts what was prepared in the place of the file."""
    path, prepared = _places()
    os.replace(prepared, path)


def holds(values: Mapping[str, str]) -> bool:
    """Whether the file has these values, so that they are to be changed there."""
    path, _ = _places()
    return values.items() <= _values(path).items()


def _values(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else []
    pairs = (line.strip().removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    return {name.strip(): text.strip().strip("'\"") for name, text in pairs}


def _places() -> tuple[Path, Path]:
    path = Path(NAME).resolve()
    return path, path.with_name(path.name + PREPARED)


def _refuse_strangers(path: Path) -> None:
    """In a folder that many may write to, such as /tmp, anybody could say which servers are trusted with passwords."""
    owner, folder_owner = path.stat().st_uid, path.absolute().parent.stat().st_uid
    if os.name == "posix" and owner not in (os.geteuid(), folder_owner, 0):
        raise SettingsError(
            f"{NAME} in {_folder()} belongs to another user (uid {owner}), who could send you to servers of theirs."
            f" Look at it, then make it yours (`chown {os.geteuid()} {NAME}`) or remove it."
        )


def _refuse_other_encodings(content: bytes) -> None:
    line = 1
    try:
        is_text = "\0" not in content.decode("utf-8")
    except UnicodeDecodeError as error:
        is_text, line = False, content.count(b"\n", 0, error.start) + 1
    if not is_text:
        looks = "UTF-16" if b"\0" in content else "ISO-8859-1"
        raise SettingsError(
            f"{NAME} in {_folder()} is not UTF-8 text (line {line}; it looks like {looks}): save it as UTF-8 in your"
            f" editor, or run `iconv -f {looks} -t UTF-8 {NAME} > {NAME}.new` and rename that."
        )


def _folder() -> str:
    return os.getcwd()
