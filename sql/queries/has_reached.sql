-- has_reached: one row, whether this replica has replayed the WAL up to a token.
select pg_last_wal_replay_lsn() >= cast(:token as pg_lsn) as has_reached
