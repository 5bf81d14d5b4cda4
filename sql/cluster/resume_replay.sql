-- The replica replays again; no row when it did not stand still.
select pg_wal_replay_resume() where pg_is_wal_replay_paused()
