"""Files out: whatever is shown, as CSV, Excel or Parquet."""

from workbench.files.aside import Tell, quiet, write_sheet
from workbench.files.formats import FORMATS, Rows, file_name, format_of, of_frame, quoted, write, write_workbook

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
