-- sample_sale: one row per made-up sale that is there: the load that made it (the load's audit_id), and whether anybody
-- has changed it since. Of the ids between a load's first and last, those that others made at the same time have an entry
-- of their own in the audit log; a load has one for all.
create view sample_sale as
with load as (
    select audit_id, (after ->> 'first_id')::bigint as first_id, (after ->> 'last_id')::bigint as last_id
    from audit_log
    where transaction_id is null and operation = 'bulk load' and after ? 'first_id'
)
select
    t.transaction_id,
    l.load_id,
    exists (select from audit_log as a where a.transaction_id = t.transaction_id) as is_changed
from sales_transaction as t
cross join lateral (
    select max(audit_id) as load_id from load where t.transaction_id between first_id and last_id
) as l
where l.load_id is not null
    and not exists (
        select from audit_log as a
        where a.transaction_id = t.transaction_id and a.table_name = 'sales_transaction' and a.operation = 'insert'
    );

grant select on sample_sale to workbench_reader;
