"""Settings from the environment and ``.env``; nothing else in the project reads the environment."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, get_args

import platformdirs
import psutil
from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from workbench.config.addresses import checked_address, listed_hosts, listed_origins
from workbench.config.clock import StoreClock, WeekBegins, find_zone, machine_zone
from workbench.config.env_file import NAME, refuse_readable, refuse_unusable, role_passwords, variable
from workbench.errors import SettingsError
from workbench.locale import find_locale

__all__ = ["MOST_PROCESSES", "OF_SERVER", "Server", "Settings", "SslMode", "child_environment", "load_settings"]
log = logging.getLogger(__name__)

# As libpq has them: from `require` on nothing goes unencrypted, from `verify-ca` on the server shows who it is.
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LEVELS = {"WARN": "WARNING"} | {level: level for level in get_args(LogLevel)}
MOST_PROCESSES = 16  # of the app in one data directory: each keeps columns in a file of its own
DEMANDS_TLS: tuple[SslMode, ...] = ("require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Server:
    """Where a database server is and as whom to connect."""

    host: str
    port: int
    name: str
    user: str
    password: SecretStr
    sslmode: SslMode = "prefer"
    sslrootcert: str = ""
    sslcert: str = ""
    sslkey: str = ""
    passwords_file: str = ""  # its password of the user counts, as long as it has one

    def current_password(self) -> str:
        """The password as it is now: running processes follow a change with their next connection."""
        found = role_passwords(Path(self.passwords_file)) if self.passwords_file else {}
        return found.get(variable(self.user), self.password).get_secret_value()

    @property
    def address(self) -> str:
        """Host and port as one writes them: ``127.0.0.1:5676``, ``[::1]:5676``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# What is said once for a server, whichever role connects to it.
OF_SERVER = tuple(name for name in Server.__annotations__ if name not in ("user", "password", "passwords_file"))


def default_data_dir() -> Path:
    """Where the embedded cluster lives: below /var/lib for root (PostgreSQL's user must get there), else the home."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/sales-workbench")
    try:
        return Path(platformdirs.user_data_dir("sales-workbench"))
    except RuntimeError:  # no home: whoever needs the folder, which servers elsewhere do not, says so
        return Path("~/.local/share/sales-workbench")


def _found(path: str) -> str:
    """The whole path: a report's process works elsewhere. libpq passes over a file that is not there, and connects."""
    if path and not (whole := Path(path).expanduser().absolute()).is_file():
        raise PydanticCustomError("no_file", f"there is no file {whole}")
    return path and str(whole)


File = Annotated[str, AfterValidator(_found)]


def default_columns_mb() -> int:
    """A quarter of the machine's memory, at most 4 GB."""
    return min(psutil.virtual_memory().total // 4 // 2**20, 4096)


def _either(name: str) -> AliasChoices:
    """The replica's settings are also accepted under the name of the system this comes from."""
    return AliasChoices(f"REPLICA_DB_{name}", f"SLAVE_DB_{name}")


class Settings(BaseSettings):
    """Every setting with its default. An empty host means: not configured."""

    model_config = SettingsConfigDict(
        # -sig: an editor of Windows may begin the file with a mark, which would be taken for a part of the first name.
        env_file=NAME,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    master_db_host: str = Field("", description="Master's host; empty starts the embedded cluster")
    master_db_port: int = Field(5676, gt=0, lt=65536, description="Master's port, embedded or not")
    master_db_name: str = Field("sales", description="Database on the master")
    master_db_user: str = Field("workbench_writer", description="Role that writes sales")
    master_db_password: SecretStr = Field(SecretStr(""), description="Password of MASTER_DB_USER")
    master_db_owner_user: str = Field("workbench_owner", description="Role that migrates and bulk loads")
    master_db_owner_password: SecretStr = Field(SecretStr(""), description="Password of MASTER_DB_OWNER_USER")

    master_db_sslmode: SslMode = Field("prefer", description="How far the master has to prove who it is")
    master_db_sslrootcert: File = Field("", description="File with the CA that vouches for the master")
    master_db_sslcert: File = Field("", description="File with a client certificate, for a master that asks for one")
    master_db_sslkey: File = Field("", description="File with the key of MASTER_DB_SSLCERT")

    replica_db_host: str = Field("", validation_alias=_either("HOST"), description="Replica's host; empty: no replica")
    replica_db_port: int = Field(
        5677, gt=0, lt=65536, validation_alias=_either("PORT"), description="Replica's port, embedded or not"
    )
    replica_db_name: str = Field("sales", validation_alias=_either("NAME"), description="Database on the replica")
    replica_db_user: str = Field(
        "workbench_reader", validation_alias=_either("USER"), description="Role that reads, on replica and master"
    )
    replica_db_password: SecretStr = Field(
        SecretStr(""), validation_alias=_either("PASSWORD"), description="Password of REPLICA_DB_USER"
    )

    replica_db_sslmode: SslMode = Field(
        "prefer", validation_alias=_either("SSLMODE"), description="How far the replica has to prove who it is"
    )
    replica_db_sslrootcert: File = Field(
        "", validation_alias=_either("SSLROOTCERT"), description="File with the CA that vouches for the replica"
    )
    replica_db_sslcert: File = Field(
        "", validation_alias=_either("SSLCERT"), description="File with a client certificate for the replica"
    )
    replica_db_sslkey: File = Field(
        "", validation_alias=_either("SSLKEY"), description="File with the key of REPLICA_DB_SSLCERT"
    )

    risingwave_host: str = Field("", description="RisingWave's host; empty: not used")
    risingwave_port: int = Field(4566, gt=0, lt=65536, description="RisingWave's port")
    risingwave_name: str = Field("dev", description="Database in RisingWave")
    risingwave_user: str = Field("root", description="RisingWave's user that builds, drops and looks after its views")
    risingwave_password: SecretStr = Field(SecretStr(""), description="Password of RISINGWAVE_USER")
    risingwave_reader_user: str = Field(
        "workbench_reader", description="RisingWave's user that only reads; `workbench risingwave apply` makes it"
    )
    risingwave_reader_password: SecretStr = Field(SecretStr(""), description="Password of RISINGWAVE_READER_USER")

    risingwave_sslmode: SslMode = Field("prefer", description="How far RisingWave has to prove who it is")
    risingwave_sslrootcert: File = Field("", description="File with the CA that vouches for RisingWave")
    risingwave_sslcert: File = Field("", description="File with a client certificate for RisingWave")
    risingwave_sslkey: File = Field("", description="File with the key of RISINGWAVE_SSLCERT")

    risingwave_cdc_host: str = Field(
        "", description="Master's host as RisingWave reaches it; empty: the same as MASTER_DB_HOST"
    )
    risingwave_cdc_port: int | None = Field(
        None, gt=0, lt=65536, description="Master's port as RisingWave reaches it; empty: the same as MASTER_DB_PORT"
    )
    risingwave_cdc_user: str = Field("workbench_cdc", description="Role with which RisingWave reads the master")
    risingwave_cdc_password: SecretStr = Field(SecretStr(""), description="Password of RISINGWAVE_CDC_USER")
    risingwave_cdc_sslmode: SslMode | None = Field(
        None, description="The same between RisingWave and the master; empty: as MASTER_DB_SSLMODE, but never `prefer`"
    )
    risingwave_cdc_sslrootcert: str = Field("", description="File with the master's CA, where RisingWave runs")

    workbench_data_dir: Path = Field(default_factory=default_data_dir, description="Where the embedded cluster lives")
    workbench_passwords_file: File = Field(
        "", description="File with passwords of PostgreSQL's roles, read for each connection; empty: the settings' own"
    )
    workbench_port: int = Field(5006, gt=0, lt=65536, description="Port of the served app, on 127.0.0.1")
    workbench_allowed_hosts: str = Field(
        "", description="Names by which browsers reach the app through a proxy or a tunnel, separated by commas"
    )
    workbench_frame_ancestors: str = Field(
        "", description="Sites whose pages may show the app in a frame, separated by commas; none but its own otherwise"
    )
    workbench_login: Literal["auto", "accounts"] = Field(
        "auto", description="Who has to log in; auto: nobody on 127.0.0.1, everybody where others reach the app"
    )
    workbench_login_hours: float = Field(12, gt=0, le=720, description="How long a login holds, in hours")
    workbench_edit_days: int = Field(
        2, ge=1, le=3660, description="The days whose sales an editor records and corrects; 2: today and yesterday"
    )
    workbench_unknown_ids: Literal["ask", "refuse", "allow"] = Field(
        "ask", description="What becomes of a sale of a store, cashier or product that the catalogue does not have"
    )
    workbench_metrics_token: SecretStr = Field(
        SecretStr(""), description="What Prometheus shows to read /metrics where people have to log in"
    )
    workbench_currency: str = Field("USD", min_length=1, max_length=8, description="Currency shown beside money")
    workbench_locale: str = Field(
        "", description="How pages write and read figures, days and words, as de_DE; empty: ISO days, a point, English"
    )
    workbench_timezone: str = Field(
        default_factory=machine_zone, description="The stores' time zone, by its IANA name; empty: this machine's"
    )
    workbench_week_begins: WeekBegins = Field("monday", description="The day on which weeks begin: monday to sunday")
    workbench_report_seconds: int = Field(300, gt=0, le=86400, description="How long a report may run, in seconds")
    workbench_reports_dir: Path | None = Field(
        None, description="A folder of report notebooks of one's own, besides those that are shipped"
    )
    workbench_reports_keep_days: int = Field(
        30, ge=1, le=3660, description="How many days what a report made is kept in the history of runs"
    )
    workbench_smtp_host: str = Field("", description="Server that takes mail with reports; empty: none is sent")
    workbench_smtp_port: int = Field(587, gt=0, lt=65536, description="Its port")
    workbench_smtp_user: str = Field("", description="Whom to log in as there; empty: nobody logs in")
    workbench_smtp_password: SecretStr = Field(SecretStr(""), description="Password of WORKBENCH_SMTP_USER")
    workbench_smtp_from: str = Field("", description="The address that mail comes from")
    workbench_smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", validate_default=True, description="How the way there is encrypted; the server must show who it is"
    )
    workbench_figures: Literal["auto", "risingwave", "columns", "database"] = Field(
        "auto", description="Who answers figures; auto: RisingWave, then the columns in memory, then the database"
    )
    workbench_columns_mb: int = Field(
        default_factory=default_columns_mb, ge=64, description="Most memory that the columns take, in MB"
    )
    log_level: LogLevel = Field("INFO", description="How much is logged")

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, level: object) -> object:
        return LEVELS.get(str(level).strip().upper(), level)

    @field_validator("master_db_host", "replica_db_host", "risingwave_host", "risingwave_cdc_host")
    @classmethod
    def _without_brackets(cls, host: str) -> str:
        """``[::1]``, as addresses of IPv6 are written beside a port, is ``::1`` to libpq."""
        return host.strip().removeprefix("[").removesuffix("]")

    @field_validator("workbench_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return find_zone(name).key

    @field_validator("workbench_locale")
    @classmethod
    def _known_locale(cls, name: str) -> str:
        return str(find_locale(name)) if name.strip() else ""

    @property
    def clock(self) -> StoreClock:
        """The stores' clock."""
        return StoreClock(find_zone(self.workbench_timezone))

    @property
    def is_embedded(self) -> bool:
        """True when no master is configured: the workbench then runs its own servers."""
        return not self.master_db_host

    @field_validator("workbench_allowed_hosts", "workbench_frame_ancestors")
    @classmethod
    def _only_hosts(cls, names: str, info: ValidationInfo) -> str:
        read = listed_hosts if info.field_name == "workbench_allowed_hosts" else listed_origins
        try:
            read(names)
        except ValueError as error:
            raise PydanticCustomError("no_host", str(error)) from None
        return names

    @field_validator("workbench_smtp_from")
    @classmethod
    def _an_address(cls, text: str) -> str:
        return checked_address(text) if text else ""

    @field_validator("workbench_smtp_tls")
    @classmethod
    def _no_password_in_clear(cls, tls: str, info: ValidationInfo) -> str:
        password = info.data.get("workbench_smtp_password")
        if tls == "none" and password and password.get_secret_value():
            raise PydanticCustomError("in_clear", "WORKBENCH_SMTP_PASSWORD would be sent in clear text")
        return tls

    @field_validator("master_db_sslmode", "replica_db_sslmode")
    @classmethod
    def _not_of_embedded(cls, mode: SslMode, info: ValidationInfo) -> SslMode:
        if mode in DEMANDS_TLS and not info.data.get("master_db_host"):
            raise PydanticCustomError(
                "no_tls", "the embedded servers, used while MASTER_DB_HOST is empty, speak no TLS"
            )
        return mode

    @field_validator("master_db_sslrootcert", "replica_db_sslrootcert", "risingwave_sslrootcert")
    @classmethod
    def _needed_to_verify(cls, path: str, info: ValidationInfo) -> str:
        mode = str(info.field_name).replace("sslrootcert", "sslmode")
        if not path and str(info.data.get(mode)).startswith("verify"):
            raise PydanticCustomError(
                "no_ca", f"{mode.upper()}={info.data[mode]} needs a file with the CA's certificate"
            )
        return path

    def _server(self, place: str, user: str, password: SecretStr) -> Server:
        """The server whose settings begin with ``place``, as one of its roles."""
        found = {name: getattr(self, f"{place}_{name}") for name in OF_SERVER}
        file = "" if place == "risingwave" else self.workbench_passwords_file  # its users are others of the same name
        return Server(user=user, password=password, passwords_file=file, **found)

    @property
    def master(self) -> Server:
        """The master, as the writer."""
        return self._server("master_db", self.master_db_user, self.master_db_password)

    @property
    def owner(self) -> Server:
        """The master, as the owner of the schema."""
        return self._server("master_db", self.master_db_owner_user, self.master_db_owner_password)

    @property
    def master_reader(self) -> Server:
        """The master, as the reader: where reads go while the replica is behind or away."""
        return self._server("master_db", self.replica_db_user, self.replica_db_password)

    @property
    def replica(self) -> Server | None:
        """The replica, as the reader; None when there is none."""
        if not self.replica_db_host:
            return None
        return self._server("replica_db", self.replica_db_user, self.replica_db_password)

    @property
    def cdc(self) -> Server:
        """The master, as the role with which RisingWave reads its changes, reached from here."""
        return self._server("master_db", self.risingwave_cdc_user, self.risingwave_cdc_password)

    @property
    def cdc_from_risingwave(self) -> Server:
        """The same, reached from where RisingWave runs."""
        default: SslMode = self.master_db_sslmode if self.master_db_sslmode in DEMANDS_TLS else "disable"
        return replace(
            self.cdc,
            host=self.risingwave_cdc_host or self.master_db_host,
            port=self.risingwave_cdc_port or self.master_db_port,
            sslmode=self.risingwave_cdc_sslmode or default,
            sslrootcert=self.risingwave_cdc_sslrootcert,
        )

    @property
    def risingwave(self) -> Server | None:
        """RisingWave, as the user that only reads; None when it is not configured."""
        if not self.risingwave_host:
            return None
        return self._server("risingwave", self.risingwave_reader_user, self.risingwave_reader_password)

    @property
    def risingwave_owner(self) -> Server | None:
        """RisingWave, as the user that builds and drops; None when it is not configured."""
        reader = self.risingwave
        return reader and replace(reader, user=self.risingwave_user, password=self.risingwave_password)


def load_settings() -> Settings:
    """Settings from the environment and ``.env``. Raises SettingsError naming each bad setting."""
    refuse_unusable()
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_complaint(e) for e in error.errors())) from None
    if settings.workbench_passwords_file:
        file = Path(settings.workbench_passwords_file)
        refuse_readable(file, file.read_text(errors="replace"))
    asked = os.environ.get("PGSSLMODE")
    if asked in DEMANDS_TLS and not settings.is_embedded and settings.master_db_sslmode not in DEMANDS_TLS:
        log.warning("PGSSLMODE=%s does not count for the workbench's servers: set MASTER_DB_SSLMODE", asked)
    return settings


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting that was given: for a child in a folder where no .env is."""
    given = {name: value for name in settings.model_fields_set if (value := getattr(settings, name)) is not None}
    texts = {n: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for n, v in given.items()}
    texts["workbench_data_dir"] = str(settings.workbench_data_dir.resolve())
    texts["workbench_timezone"] = settings.workbench_timezone
    return {**os.environ, **{name.upper(): text for name, text in texts.items()}}


def _complaint(error: ErrorDetails) -> str:
    name = str(error["loc"][0]).upper()
    value = "" if "PASSWORD" in name or "TOKEN" in name else f" (it is {error['input']!r})"
    said = error["msg"].removeprefix("Value error, ")
    return f"{name}: {said}{value}. Change it in the environment or in .env."
