-- The WAL that the replica holds, received or replayed: one row, in bytes from the start.

select
    (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint as position_bytes;
