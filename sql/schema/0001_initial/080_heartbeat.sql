-- heartbeat: a single row that a running workbench renews once a second on the master. What a follower hands back
-- says how old its data is.
create table heartbeat (
    heartbeat_id integer primary key default 1,
    beat_at timestamptz not null,
    lsn text not null,
    constraint heartbeat_is_single check (heartbeat_id = 1)
);

insert into heartbeat (beat_at, lsn) values (clock_timestamp(), pg_current_wal_lsn()::text);
