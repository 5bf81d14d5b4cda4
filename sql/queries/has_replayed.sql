-- has_replayed: one row, whether the replica has reached a token, and the data time of what it shows.
select
    pg_last_wal_replay_lsn() >= cast(:token as pg_lsn) as has_replayed,
    (select beat_at from heartbeat) as as_of
