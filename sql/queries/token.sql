-- token: one row, the WAL position that holds every commit acknowledged so far (synchronous_commit is on).
select pg_current_wal_flush_lsn()::text as lsn
