"""The named errors. The library raises them; the edges (command, forms, pages) show their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.locale import N_, _, sentences

NOTHING_DONE = N_("Nothing was saved.")


class WorkbenchError(Exception):
    """Something a person can act on: the text says what, where and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the text, without the way through the program to it."""
        return [f"{type(self).__name__}: {self}"]


class SettingsError(WorkbenchError):
    """A setting is missing or cannot be used."""


class ClusterError(WorkbenchError):
    """The embedded master or replica could not be started, stopped or rebuilt."""


class BenchFailed(WorkbenchError):
    """What was to be measured did not work."""


class ServeFailed(WorkbenchError):
    """A process that was to serve the app did not start."""


class NotInstalled(WorkbenchError):
    """A part of the workbench that its own extra has to be installed for."""


class PortTaken(ClusterError):
    """Another program listens on the port that a server should get."""


class ServerUnavailable(WorkbenchError):
    """A database server does not answer in time, or refuses the connection."""


class ServerBusy(ServerUnavailable):
    """A server answers, but did not do this in time: others hold what it needs, or its replay came in between."""


class DatabaseRefused(WorkbenchError):
    """A database server refuses a statement for a reason that nobody expected; ``state`` is its SQLSTATE."""

    def __init__(self, text: str, state: str = "") -> None:
        self.state = state
        super().__init__(text)


class DiskFull(WorkbenchError):
    """A disk has no space left: the text says which, and what to do."""


class NobodyWaits(WorkbenchError):
    """What was asked was ended: the page that asked it is closed. Nobody reads this."""


class FiguresUnavailable(WorkbenchError):
    """The columns cannot be kept, or cannot answer."""


class SchemaError(WorkbenchError):
    """The database's schema is older, newer or other than this program's."""


class FieldError(WorkbenchError):
    """One value that is refused: which field, which value, what is allowed.

    ``field`` is dotted from the sale down, lines counted from 0: ``lines.0.quantity``.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        label, is_many = field_label(field), field.split(".")[-1] == "lines"
        is_empty = isinstance(value, str | list | tuple) and not "".join(map(str, value)).strip()
        self._is_missing = value is None or is_empty
        if self._is_missing:
            missing = N_("{field} are missing: {allowed}") if is_many else N_("{field} is missing: {allowed}")
            super().__init__(_(missing, field=label, allowed=allowed))
        else:
            text = _("{field} {value} cannot be used: {allowed}", field=label, value=_shown(value), allowed=allowed)
            super().__init__(text)

    @property
    def beside(self) -> str:
        """The same where the field itself is seen, without its name."""
        if self._is_missing:
            return _("This is missing: {allowed}", allowed=self.allowed)
        return _("{value} cannot be used: {allowed}", value=_shown(self.value), allowed=self.allowed)


class SaleRefused(WorkbenchError):
    """A sale whose fields are not all acceptable; ``fields`` holds a FieldError for each."""

    def __init__(self, fields: list[FieldError]) -> None:
        self.fields = fields
        super().__init__(sentences(*fields, between="; "))


class SaleNotFound(WorkbenchError):
    """There is no sale with this id (any more)."""

    def __init__(self, transaction_id: int) -> None:
        self.transaction_id = transaction_id
        super().__init__(_("There is no transaction {id}: it was deleted, or never existed.", id=transaction_id))


class SaleConflict(WorkbenchError):
    """The sale has moved on since it was loaded. ``theirs`` is the sale as the master has it now."""

    def __init__(self, transaction_id: int, loaded_version: int, theirs: Any) -> None:
        self.transaction_id, self.loaded_version, self.theirs = transaction_id, loaded_version, theirs
        super().__init__(
            _(
                "Transaction {id} was changed meanwhile (version {loaded} was loaded, it is now {now}). Nothing was"
                " overwritten.",
                **{"id": transaction_id, "loaded": loaded_version, "now": theirs.version},
            )
        )


class TooMany(WorkbenchError):
    """More sales than are changed, or chosen, at once."""


class ManyRefused(WorkbenchError):
    """Some of many sales cannot be changed, and none was; ``refused`` says of each which and why."""

    def __init__(self, refused: Sequence[Any]) -> None:
        self.refused = tuple(refused)
        named = " ".join(map(str, self.refused[:3])) + (" ..." if len(self.refused) > 3 else "")
        super().__init__(_("{refused} Nothing was changed.", refused=named))


class EntryRefused(WorkbenchError):
    """An entry of the catalogue whose fields are not all acceptable; ``fields`` holds a FieldError for each."""

    def __init__(self, fields: list[FieldError]) -> None:
        self.fields = fields
        super().__init__(sentences(*fields, between="; "))


class EntryNotFound(WorkbenchError):
    """There is no such entry in the catalogue (any more)."""


class EntryInUse(WorkbenchError):
    """An entry of the catalogue that others name: it cannot be deleted before them."""


class EntryConflict(WorkbenchError):
    """The entry has moved on since it was loaded. ``theirs`` is the entry as the master has it now."""

    def __init__(self, called: str, theirs: Any) -> None:
        self.theirs = theirs
        super().__init__(_("{entry} was changed meanwhile. Nothing was overwritten.", entry=called))


class ReturnRefused(WorkbenchError):
    """What returns do not allow: a sale changed or deleted of which items were returned, or a return changed."""


class AlreadyUndone(WorkbenchError):
    """What was to be undone is undone already, or cannot be."""


class RequestReused(WorkbenchError):
    """A request id that was already used for other content; ``transaction_id`` is the sale that it made."""

    def __init__(self, request_id: object, transaction_id: int) -> None:
        self.transaction_id = transaction_id
        super().__init__(
            _(
                "Request {request} was already saved, with other content, as transaction {id}. Nothing was saved"
                " again.",
                **{"request": request_id, "id": transaction_id},
            )
        )


class RoleRefused(WorkbenchError):
    """What this account's role, or its stores, do not let it do; the text says which role may."""


class SignedOut(WorkbenchError):
    """The login that this was asked with has ended: by time, by logging out, or as the account was disabled."""


class LoginRefused(WorkbenchError):
    """Name or password is wrong, or the account is disabled: which of these is told to nobody."""


class TooManyTries(WorkbenchError):
    """So many wrong passwords that the next one has to wait; ``seconds`` says how long."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(_("Too many wrong passwords. Try again in {seconds} s.", seconds=seconds))


class AccountError(WorkbenchError):
    """An account that is not there, or that cannot be made or changed as was asked."""


class MetricError(WorkbenchError):
    """A metric that is not known, or is asked for a dimension or a filter that its grain cannot give."""


class QueryRefused(WorkbenchError):
    """An ad-hoc query that cannot be run: what is wrong with it, and where."""


class RisingWaveRefused(WorkbenchError):
    """RisingWave does not do what it was told; the text is its first cause. ``is_missing``: there is no such thing."""

    def __init__(self, cause: str, is_missing: bool = False) -> None:
        self.is_missing = is_missing
        super().__init__(f"RisingWave refuses: {cause}")


class CdcError(WorkbenchError):
    """RisingWave cannot read the master's changes as things are."""


class LoadStopped(WorkbenchError):
    """A load of sample data that was stopped: nothing of it was loaded."""


class LoadIncomplete(WorkbenchError):
    """A load of sample data that ended early, and of which a part is there: it could not be taken back."""


class ImportRefused(WorkbenchError):
    """A file, or a mapping of its columns, from which no sales can be imported; or an import that cannot be undone."""


class ImportStopped(WorkbenchError):
    """An import that somebody stopped: nothing of it was saved."""


class RealSales(WorkbenchError):
    """Sample data was to be loaded among sales that are not made up."""


class SampleChanged(WorkbenchError):
    """Some of the sample sales that were to be taken back have been changed since."""


class FileRefused(WorkbenchError):
    """A file cannot be written as it was asked."""


class FileStopped(WorkbenchError):
    """A file that somebody stopped while it was written."""


class ReportError(WorkbenchError):
    """A report that is not there, cannot be used, failed in one of its cells, or took too long."""


class ParameterRefused(ReportError):
    """A parameter that the report does not have, or a value that it cannot take."""


class ScheduleRefused(ReportError):
    """A schedule that cannot be, or is not there."""


class MailRefused(ReportError):
    """A mail that could not be sent; it may be tried again."""


class ReportGone(ReportError):
    """What a report made is not kept any more."""


class ReportStopped(ReportError):
    """A report that somebody stopped while it ran."""


class OutcomeUnknown(WorkbenchError):
    """The master went away while it was saving. Submitting the same request again is safe."""


# What the fields of a sale and of its filters are called, for the catalogues of texts.
FIELDS_OF_SALES = (
    *(
        N_("Items"),
        N_("Transaction ID"),
        N_("Transaction Time"),
        N_("Cashier ID"),
        N_("Store ID"),
        N_("Payment Method"),
    ),
    *(N_("Customer ID"), N_("Product Code"), N_("Product Name"), N_("Category"), N_("Quantity"), N_("Unit Price")),
    *(N_("Discount"), N_("Sale Discount"), N_("Reason"), N_("Date From"), N_("Date To"), N_("Product"), N_("Kind")),
    *(N_("Amount From"), N_("Amount To"), N_("Stores"), N_("Cashiers"), N_("Payment Methods"), N_("Invoice")),
)
# The same of the catalogue's entries, and of the fields that say what of a log is read.
FIELDS_OF_ENTRIES = (
    *(N_("Store Name"), N_("City"), N_("Region"), N_("Opened On"), N_("Closed On"), N_("Opening Hours")),
    *(N_("Time Zone"), N_("Cashier Name"), N_("Unit"), N_("Valid From"), N_("List Price"), N_("Customer Name")),
    *(N_("First Day"), N_("Last Day"), N_("User"), N_("Store"), N_("Logged From"), N_("Logged To"), N_("View Name")),
)


def field_label(field: str) -> str:
    """The words a person reads for a dotted field: ``lines.0.unit_price`` -> ``Item 1, Unit Price``."""
    parts = field.split(".")
    if parts[0] == "lines" and len(parts) == 3:
        return _("Item {n}, {field}", n=int(parts[1]) + 1, field=field_label(parts[2]))
    return _(english_label(parts[-1]))


def english_label(name: str) -> str:
    """The English words for the name of one field, by which catalogues of texts know it: ``Unit Price``."""
    return "Items" if name == "lines" else name.replace("_", " ").title().replace(" Id", " ID")


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
