"""The process that writes an Excel file: it says how many rows it has, and by which error it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from workbench.files.formats import write_rows


def main(parquet: str, path: str, title: str) -> int:
    """Writes it."""
    os.nice(5)
    try:
        write_rows(Path(parquet), Path(path), title, _say)
    except OSError as error:
        sys.stderr.write(f"{error.errno or '-'} {error.strerror or error}\n")
        return 1
    return 0


def _say(rows: int) -> None:
    sys.stdout.write(f"{rows}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
