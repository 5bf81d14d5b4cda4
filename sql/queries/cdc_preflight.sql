-- cdc_preflight: one row, what the master grants to a reader of its changes, as seen by that role.
with wanted as (
    select w.name, to_regclass('public.' || w.name) as relation
    from unnest(array['sales_transaction', 'sales_item', 'heartbeat']) as w (name)
)
select
    current_setting('server_version_num')::int / 10000 as postgresql,
    current_setting('wal_level') as wal_level,
    pg_is_in_recovery() as is_replica,
    (select r.rolreplication from pg_roles as r where r.rolname = current_user) as may_replicate,
    has_function_privilege('pg_logical_emit_message(boolean, text, text, boolean)', 'execute') as may_beat,
    exists (select from pg_publication where pubname = 'workbench_publication') as has_publication,
    array(
        select w.name from wanted as w
        where not exists (
            select from pg_publication_tables as p
            where p.pubname = 'workbench_publication' and p.schemaname = 'public' and p.tablename = w.name
        )
    ) as unpublished,
    array(
        select w.name from wanted as w where w.relation is null or not has_table_privilege(w.relation, 'select')
    ) as unreadable,
    coalesce((
        select p.pubinsert and p.pubupdate and p.pubdelete
        from pg_publication as p where p.pubname = 'workbench_publication'
    ), false) as is_published_whole,
    current_setting('max_replication_slots')::int as most_slots,
    (select count(*) from pg_replication_slots) as slots,
    exists (select from pg_replication_slots where slot_name = :slot) as has_slot,
    coalesce((
        select s.wal_status = 'lost' from pg_replication_slots as s where s.slot_name = :slot
    ), false) as is_lost
