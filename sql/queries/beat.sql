-- beat: renews the single heartbeat row on the master.
update heartbeat set beat_at = clock_timestamp(), lsn = pg_current_wal_lsn()::text
