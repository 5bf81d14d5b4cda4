-- beat: renews the single heartbeat row on the master; one row, the position up to which it vouches for every commit,
-- and the master's clock.
update heartbeat set beat_at = clock_timestamp(), lsn = pg_current_wal_lsn()::text
returning lsn, beat_at
