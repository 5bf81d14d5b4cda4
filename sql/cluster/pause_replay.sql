-- The replica stops to replay what it receives from the master. It asks for a superuser of the replica.
select pg_wal_replay_pause()
