-- newest: one row, what the master has now: the position of all that is committed, its last heartbeat, and its clock.
select
    pg_current_wal_flush_lsn()::text as lsn,
    (select beat_at from heartbeat) as beat_at,
    clock_timestamp() as at
