-- change_horizon: one row, from where the log of changes must be followed by one who reads everything now.
-- No transaction below the horizon is still running; those above it that are seen already are named. All that is seen is
-- in the WAL up to lsn: a function's value is newer than the snapshot.
select
    pg_snapshot_xmin(s.snapshot)::text as horizon,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end::text as lsn,
    array(
        select distinct a.xact_id::text from audit_log as a where a.xact_id >= pg_snapshot_xmin(s.snapshot)
    ) as seen,
    (
        select string_agg(c.relfilenode::text, ',' order by c.relname)
        from pg_class as c
        where c.oid in ('sales_transaction'::regclass, 'sales_item'::regclass)
    ) as storage
from (select pg_current_snapshot() as snapshot) as s
