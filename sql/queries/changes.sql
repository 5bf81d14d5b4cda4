-- changes: one row, what has changed since a horizon apart from the transactions seen: days and customers touched.
-- A header's change names the day it had and the day it has; a line's change is one of its header's day.
-- No days are worked out when there were more than :most changes, a bulk load, or another storage (truncate).
with changed as (
    select a.operation, a.table_name, a.transaction_id, a.before, a.after
    from audit_log as a
    where a.xact_id >= cast(:horizon as xid8)
        and a.xact_id <> all (cast(:seen as xid8[]))
    limit :most + 1
),
headers as (
    select (r.row ->> 'transaction_time')::timestamp::date as day, (r.row ->> 'customer_id')::bigint as customer_id
    from changed as c
    cross join lateral (values (c.before), (c.after)) as r (row)
    where c.table_name = 'sales_transaction' and r.row is not null
),
lines as (
    select distinct (r.row ->> 'transaction_id')::bigint as transaction_id
    from changed as c
    cross join lateral (values (c.before), (c.after)) as r (row)
    where c.table_name = 'sales_item' and r.row is not null
)
select
    (select count(*) from changed) as changes,
    (select count(*) from changed where operation not in ('insert', 'update', 'delete')) as bulk_loads,
    array(
        select h.day - date '2000-01-01' from headers as h
        union
        select t.transaction_time::date - date '2000-01-01'
        from lines as l
        join sales_transaction as t on t.transaction_id = l.transaction_id
    ) as days,
    array(select distinct h.customer_id from headers as h where h.customer_id is not null) as customers
