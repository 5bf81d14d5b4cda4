-- changes: one row, from where the log of changes must be followed by one who has read everything that is there now, and
-- what has changed since an earlier such horizon, apart from the transactions seen then: the sales touched, by their ids.
-- No transaction below the horizon is still running; those above it that are seen already are named. All that is seen is
-- in the WAL up to lsn: a function's value is newer than the snapshot. The identity is that of the database, its schema
-- and its tables' files, which a truncate replaces: a copy of anything else is of no use.
-- An entry tells of one sale, older ones of its header or of one line: a line that moved names two sales, before and after.
-- A bulk load, or the undoing of one, is an entry that names the first and the last id of its sales. Entries that name
-- neither sale nor ids are unknown.
with changed as (
    select a.operation, a.transaction_id, a.before, coalesce(a.after, a.before) as row
    from audit_log as a
    where a.xact_id >= cast(:horizon as xid8)
        and a.xact_id <> all (cast(:seen as xid8[]))
    limit :most + 1
)
select
    pg_snapshot_xmin(s.snapshot)::text as horizon,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end::text as lsn,
    array(
        select distinct a.xact_id::text from audit_log as a where a.xact_id >= pg_snapshot_xmin(s.snapshot)
    ) as seen,
    (
        select concat_ws('/', y.system_identifier, o.timeline_id, v.version_num)
        from pg_control_system() as y
        cross join pg_control_checkpoint() as o
        cross join alembic_version as v
    ) || (
        select string_agg('/' || c.relfilenode, '' order by c.relname)
        from pg_class as c
        where c.oid in ('sales_transaction'::regclass, 'sales_item'::regclass)
    ) as identity,
    (select count(*) from changed) as changes,
    (
        select count(*) from changed as c where c.transaction_id is null and c.row ->> 'last_id' is null
    ) as unknown,
    array(
        select c.transaction_id from changed as c where c.transaction_id is not null
        union
        select (c.before ->> 'transaction_id')::bigint from changed as c where c.operation = 'update'
    ) as sales,
    array(
        select array[(c.row ->> 'first_id')::bigint, (c.row ->> 'last_id')::bigint]
        from changed as c
        where c.transaction_id is null and c.row ->> 'last_id' is not null
    ) as loads
from (select pg_current_snapshot() as snapshot) as s
