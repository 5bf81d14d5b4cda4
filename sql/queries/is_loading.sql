-- is_loading: one row, whether a large load is under way, which has dropped the reading indexes and makes them at its
-- end: it holds this lock for as long as its session lives.
select exists (
    select from pg_locks
    where locktype = 'advisory' and classid = 0 and objid = :key and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
) as is_loading
