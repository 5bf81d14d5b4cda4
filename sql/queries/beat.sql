-- beat: renews the single heartbeat row on the master; one row, the position up to which it vouches for every commit.
update heartbeat set beat_at = clock_timestamp(), lsn = pg_current_wal_lsn()::text
returning lsn
