"""Files in: sales from CSV, Excel and Parquet, a verdict for each row before any is saved, and taken back whole."""

from workbench.imports.files import DryRun, ImportFile, Total
from workbench.imports.mapping import FIELDS, FileMapping
from workbench.imports.undo import Import, Undone, imports, keep_mapping, mappings, undo, undone_text
from workbench.imports.writing import Imported, write

__all__ = [
    "FIELDS",
    "DryRun",
    "FileMapping",
    "Import",
    "ImportFile",
    "Imported",
    "Total",
    "Undone",
    "imports",
    "keep_mapping",
    "mappings",
    "undo",
    "undone_text",
    "write",
]
