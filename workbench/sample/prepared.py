"""Chunks made ready for COPY, with ids from the sequence, while the server takes in the ones before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa

from workbench.database.engines import Engines
from workbench.database.sql_files import read_sql
from workbench.sample.chunks import Chunk
from workbench.sample.copy_text import header_rows, line_rows


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
    statement = sa.text(read_sql("sample/take_ids"))
    with engines.owner.connect() as connection:
        for chunk in chunks:
            count = len(chunk.transaction_id)
            taken = connection.execute(statement, {"count": count}).one()
            connection.commit()  # its transaction must not last as long as the load
            ids = taken.scattered_ids or range(taken.first_id, taken.first_id + count)
            numbered = replace(chunk, transaction_id=np.array(ids, dtype=np.int64))
            yield Prepared(numbered, header_rows(numbered), line_rows(numbered))
