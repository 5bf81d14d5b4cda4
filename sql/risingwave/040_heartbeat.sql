-- heartbeat: a single row; every commit up to its lsn is in the other tables, and in the finished views, as well.
-- That is so because it is made last, when the other tables have been read.
create table if not exists heartbeat (
    heartbeat_id int primary key,
    beat_at timestamptz,
    lsn varchar
) from workbench_master table 'public.heartbeat'
