-- token: one row, a WAL position that holds every commit acknowledged so far (synchronous_commit is on).
-- The WAL writer flushes whole pages, so that what is flushed may end within a record. A replica replays that record
-- when the rest of it comes, with somebody's next commit. At the end of a page (one position in a hundred) a transaction
-- id is taken here therefore: the WAL writer flushes what there is soon after this transaction ends.
select
    flushed::text as lsn,
    case when (flushed - '0/0') % current_setting('wal_block_size')::int = 0 then pg_current_xact_id() end as flushed_by
from pg_current_wal_flush_lsn() as flushed
