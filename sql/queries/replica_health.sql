-- replica_health: one row, what the replica says of itself.
select
    current_setting('server_version') as version,
    pg_is_in_recovery() as is_replica,
    pg_last_wal_replay_lsn()::text as lsn,
    (select beat_at from heartbeat) as beat_at,
    clock_timestamp() as now
