-- 'not paused', 'pause requested' or 'paused': a pause is requested, and begins with the next record of the WAL.
select pg_get_wal_replay_pause_state()
