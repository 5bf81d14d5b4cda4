-- change_horizon: one row, from where the log of changes must be followed by one who reads everything now.
-- No transaction below the horizon is still running; those above it that are seen already are named.
select
    pg_snapshot_xmin(s.snapshot)::text as horizon,
    array(
        select distinct a.xact_id::text from audit_log as a where a.xact_id >= pg_snapshot_xmin(s.snapshot)
    ) as seen,
    (
        select string_agg(c.relfilenode::text, ',' order by c.relname)
        from pg_class as c
        where c.oid in ('sales_transaction'::regclass, 'sales_item'::regclass)
    ) as storage
from (select pg_current_snapshot() as snapshot) as s
