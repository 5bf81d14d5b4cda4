"""Chunks made ready for COPY, with ids from the sequence, while the server takes in the ones before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workbench.database.engines import Engines
from workbench.database.sql_files import write_sql
from workbench.sales.models import PAYMENT_METHODS
from workbench.sample.catalog import products
from workbench.sample.chunks import Chunk, Ints

Column = npt.NDArray[np.uint8]  # one row of bytes for each row of the table, filled up with zero bytes

TAB, POINT, LINE_END, NULL = (np.frombuffer(text, np.uint8) for text in (b"\t", b".", b"\n", b"\\N"))
MINUS = ord("-")


def header_rows(chunk: Chunk) -> bytes:
    """The sales of the chunk, in the order of columns of sql/bulk/copy_headers.sql."""
    return _rows(
        [
            _digits(chunk.transaction_id),
            _times(chunk.transaction_time),
            _digits(chunk.cashier_id),
            _digits(chunk.store_id),
            _words(PAYMENT_METHODS)[chunk.payment_method],
            _money(chunk.total_amount),
            _money(chunk.total_discount),
            _or_null(chunk.customer_id),
            _or_null(np.where(chunk.return_of < 0, 0, chunk.transaction_id[chunk.return_of])),
        ]
    )


def line_rows(chunk: Chunk) -> bytes:
    """The lines of the chunk, in the order of columns of sql/bulk/copy_lines.sql."""
    goods = _words([f"{product.code}\t{product.name}\t{product.category}" for product in products()])
    return _rows(
        [
            _digits(chunk.transaction_id)[chunk.sale],
            goods[chunk.product],
            _signed(chunk.quantity, _digits(np.abs(chunk.quantity))),
            _money(chunk.unit_price),
            _money(chunk.discount),
            _money(chunk.total_price),
        ]
    )


def _rows(columns: list[Column]) -> bytes:
    parts: list[Column] = []
    for column in columns:
        parts += [column, np.broadcast_to(TAB, (len(column), 1))]
    parts[-1] = np.broadcast_to(LINE_END, parts[-1].shape)
    return np.concatenate(parts, axis=1).tobytes().translate(None, b"\0")


def _digits(values: Ints, width: int = 1) -> Column:
    """Whole numbers, 0 or more, with leading zeros up to the widest of them; PostgreSQL reads 007 as 7."""
    width = max(width, len(str(values.max())))
    digits = np.empty((len(values), width), dtype=np.uint8)
    for place in range(width - 1, -1, -1):
        rest = values // 10
        digits[:, place] = values - rest * 10 + ord("0")
        values = rest
    return digits


def _signed(values: Ints, digits: Column) -> Column:
    return np.concatenate([np.where(values < 0, MINUS, 0).astype(np.uint8)[:, None], digits], axis=1)


def _money(cents: Ints) -> Column:
    digits = _digits(np.abs(cents), width=3)
    amount = np.concatenate([digits[:, :-2], np.broadcast_to(POINT, (len(cents), 1)), digits[:, -2:]], axis=1)
    return _signed(cents, amount) if cents.min() < 0 else amount


def _times(times: npt.NDArray[np.datetime64]) -> Column:
    """Such as 2026-05-31 143005, which PostgreSQL reads as 14:30:05; each date is put into words once."""
    days = times.astype("datetime64[D]")
    seconds = (times - days).astype(np.int64)
    clock = seconds // 3600 * 10_000 + seconds // 60 % 60 * 100 + seconds % 60
    calendar = np.arange(days.min(), days.max() + 1)
    dates = _fixed(np.array([f"{day} ".encode() for day in calendar]))
    return np.concatenate([dates[(days - calendar[0]).astype(np.int64)], _digits(clock, width=6)], axis=1)


def _or_null(values: Ints) -> Column:
    digits = _digits(values, width=len(NULL))
    is_null = values == 0
    digits[is_null] = 0
    digits[is_null, : len(NULL)] = NULL
    return digits


def _words(words: list[str] | tuple[str, ...]) -> Column:
    return _fixed(np.array([word.encode() for word in words]))


def _fixed(texts: npt.NDArray[np.bytes_]) -> Column:
    return texts.view(np.uint8).reshape(len(texts), texts.dtype.itemsize)


@dataclass(frozen=True)
class Prepared:
    """A chunk with the ids that its sales will have, and its text for COPY."""

    chunk: Chunk
    headers: bytes
    lines: bytes

    @property
    def first_id(self) -> int:
        """The lowest transaction_id."""
        return int(self.chunk.transaction_id[0])

    @property
    def last_id(self) -> int:
        """The highest transaction_id."""
        return int(self.chunk.transaction_id[-1])


def prepared(engines: Engines, chunks: Iterator[Chunk]) -> Generator[Prepared]:
    """The chunks, each made in a thread of its own while the caller works on the one before. Close it to end early."""
    with closing(_with_ids(engines, chunks)) as ready, ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(next, ready, None)
        while (made := coming.result()) is not None:
            coming = maker.submit(next, ready, None)
            yield made


def _with_ids(engines: Engines, chunks: Iterator[Chunk]) -> Generator[Prepared]:
    """Ids come from the sequence, on a connection of its own, so that sales made meanwhile get others."""
    with engines.owner.connect() as connection:
        for chunk in chunks:
            count = len(chunk.transaction_id)
            taken = write_sql(connection, "bulk/take_ids", {"count": count}).one()
            connection.commit()  # its transaction must not last as long as the load
            ids = taken.scattered_ids or range(taken.first_id, taken.first_id + count)
            numbered = replace(chunk, transaction_id=np.array(ids, dtype=np.int64))
            yield Prepared(numbered, header_rows(numbered), line_rows(numbered))
