-- changes: one row, what has changed since a horizon apart from the transactions seen: the sales touched, by their ids.
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
