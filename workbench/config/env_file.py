"""The file ``.env``: looked at before it is read, so that one that cannot be used is refused in words."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.config.secrets import refuse_readable
from workbench.errors import SettingsError

NAME = ".env"


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
