-- master_health: one row, what the master says of itself.
select
    current_setting('server_version') as version,
    pg_current_wal_lsn()::text as lsn,
    (select beat_at from heartbeat) as beat_at,
    clock_timestamp() as now
