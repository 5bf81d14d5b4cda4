"""Files out: whatever is shown, as CSV, Excel or Parquet."""

from workbench.files.formats import (
    FORMATS,
    Rows,
    Tell,
    file_name,
    format_of,
    of_frame,
    quiet,
    quoted,
    write,
    write_sheet,
    write_workbook,
)

__all__ = [
    "FORMATS",
    "Rows",
    "Tell",
    "file_name",
    "format_of",
    "of_frame",
    "quiet",
    "quoted",
    "write",
    "write_sheet",
    "write_workbook",
]
