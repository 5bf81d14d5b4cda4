-- insert_position: one row, the master's WAL position now; a read that was answered here must not go back in time.
select pg_current_wal_insert_lsn()::text as lsn, clock_timestamp() as as_of
