"""Entries of the catalogue from a file: CSV, Excel or Parquet, with a verdict for each row before any is saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import locale
from workbench.catalogue.fields import KINDS, Field, Kind, Values
from workbench.catalogue.service import Catalogue, SavedAll
from workbench.errors import EntryRefused, ImportRefused
from workbench.imports import FileMapping, ImportFile
from workbench.imports.reading import alike
from workbench.locale import N_, _
from workbench.words import counted, visible

NEW, CHANGED, SAME, REFUSED = "new", "changed", "there already", "refused"
TOTALS = {NEW: N_("{n} new"), CHANGED: N_("{n} changed"), SAME: N_("{n} there already"), REFUSED: N_("{n} refused")}


@dataclass(frozen=True)
class Verdict:
    """What becomes of a row, by its number in the file; ``reason`` says why it is refused."""

    row: int
    kind: str
    reason: str = ""


@dataclass(frozen=True)
class EntryFile:
    """A file that was read and judged: by which columns, and the entries of the rows that are not refused."""

    columns: Mapping[str, str]
    unused: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    entries: tuple[Values, ...]
    stored: Mapping[tuple[Any, ...], Values]  # what was there when it was judged

    @property
    def totals(self) -> dict[str, int]:
        """How many rows have each verdict."""
        found = Counter(verdict.kind for verdict in self.verdicts)
        return {kind: found[kind] for kind in (NEW, CHANGED, SAME, REFUSED) if found[kind]}

    @property
    def refused(self) -> list[Verdict]:
        """The rows that are not taken."""
        return [verdict for verdict in self.verdicts if verdict.kind == REFUSED]


def judge(
    catalogue: Catalogue, kind: Kind, path: Path, reading: FileMapping = FileMapping(), *, name: str = ""
) -> EntryFile:
    """Reads a file and judges each row as the form would; errors call it ``name``.

    Raises RoleRefused, ImportRefused, ServerUnavailable.
    """
    catalogue.need()
    file = ImportFile(catalogue.engines, path, name or path.name, catalogue.actor)
    try:
        table = file.read(reading)
        columns = _columns(kind, table.columns, file.name)
        places = {field: table.columns.index(column) for field, column in columns.items()}
        rows = file.database.execute("select row, fault, * exclude (row, fault) from raw order by row").fetchall()
    finally:
        file.close()
    judge = _Judge(catalogue, kind)
    given = ((row, fault, {field: texts[place] for field, place in places.items()}) for row, fault, *texts in rows)
    verdicts = tuple(judge.verdict(*each) for each in given)
    unused = tuple(column for column in table.columns if column not in columns.values())
    return EntryFile(columns, unused, verdicts, tuple(judge.taken.values()), judge.there)


def write(catalogue: Catalogue, kind: Kind, file: EntryFile, *, accepted_only: bool = False) -> SavedAll:
    """Saves all rows in one transaction.

    Raises ImportRefused when some are refused, unless ``accepted_only``, and when others have changed what is there.
    """
    if file.refused and not accepted_only:
        raise ImportRefused(_("{rows} are refused: nothing was imported.", rows=counted(len(file.refused), "row")))
    return catalogue.save_all(kind, file.entries, stored=file.stored)


class _Judge:
    """Judges rows one after the other; ``taken`` are the entries so far by their keys, ``there`` those stored."""

    def __init__(self, catalogue: Catalogue, kind: Kind) -> None:
        self._kind = kind
        self.there = {kind.key_of(each.values): each.values for each in catalogue.find_all(kind).value}
        self._known = {
            field.name: {each.values[KINDS[field.of].key[0]] for each in catalogue.find_all(KINDS[field.of]).value}
            for field in kind.fields
            if field.of
        }
        self.taken: dict[tuple[Any, ...], Values] = {}

    def verdict(self, row: int, fault: str | None, texts: Mapping[str, str | None]) -> Verdict:
        if fault:
            return Verdict(row, REFUSED, fault)
        try:
            values = self._kept(self._kind.parse(texts), texts)
            self._refuse_unknown(values)
        except EntryRefused as refusal:
            return Verdict(row, REFUSED, str(refusal))
        key = self._kind.key_of(values)
        if self.taken.get(key, values) != values:
            called = self._kind.called(values)
            return Verdict(row, REFUSED, _("{entry} is in the file with other content already", entry=called))
        is_again = key in self.taken
        self.taken[key] = values
        if is_again or self.there.get(key) == values:
            return Verdict(row, SAME)
        return Verdict(row, CHANGED if key in self.there else NEW)

    def _kept(self, values: Values, texts: Mapping[str, str | None]) -> Values:
        """With what is stored of the fields that the file has no column for."""
        stored = self.there.get(self._kind.key_of(values), {})
        return values | {name: stored[name] for name in values if name not in texts and name in stored}

    def _refuse_unknown(self, values: Values) -> None:
        errors = [
            self._kind.by_name[name].refuse(values[name], _("it must be in the catalogue already"))
            for name, known in self._known.items()
            if values[name] is not None and values[name] not in known
        ]
        if errors:
            raise EntryRefused(errors)


def _columns(kind: Kind, names: tuple[str, ...], file: str) -> dict[str, str]:
    """The column of each field, by its name or its label, however they are written. Raises ImportRefused."""
    by_name = {alike(name): name for name in reversed(names)}
    found = {}
    for field in kind.fields:
        column = next((by_name[each] for each in _called(kind, field) if each in by_name), None)
        if column is not None:
            found[field.name] = column
        elif field.is_required:
            raise ImportRefused(
                _(
                    "{file} has no column {field}: {kinds} have {columns}.",
                    **{
                        "file": visible(file),
                        "field": field.name,
                        "kinds": _(kind.title),
                        "columns": columns_text(kind),
                    },
                )
            )
    return found


def columns_text(kind: Kind) -> str:
    """The columns that a file of this kind has: ``cashier_id, cashier_name, store_id (optional)``."""
    return ", ".join(
        each.name if each.is_required else _("{column} (optional)", column=each.name) for each in kind.fields
    )


def _called(kind: Kind, field: Field) -> list[str]:
    own = [field.name, field.english, field.label]
    if field.name == kind.key[0]:
        own.append(kind.noun)
    return [alike(name) for name in own]


def importing_text(file: EntryFile) -> str:
    """``12 rows: 3 new, 9 there already``."""
    parts = ", ".join(_(TOTALS[kind], n=locale.number(count)) for kind, count in file.totals.items())
    return f"{counted(len(file.verdicts), 'row')}: {parts}."
