-- Where the master's WAL ends, on disk: one row, its timeline and its position in bytes from the start.

select
    ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int as timeline,
    (pg_current_wal_flush_lsn() - '0/0')::bigint as position_bytes;
