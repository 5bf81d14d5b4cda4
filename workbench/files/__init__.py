"""Files out: whatever is shown, as CSV, Excel or Parquet."""

from workbench.files.formats import FORMATS, Rows, file_name, format_of, of_frame, quoted, write, write_workbook

__all__ = ["FORMATS", "Rows", "file_name", "format_of", "of_frame", "quoted", "write", "write_workbook"]
