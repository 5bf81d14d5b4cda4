-- loads: one row per load of which sales are left, newest first: when and by whom, how many were asked for and how many
-- it made (fewer: it ended early), how many sales and returns are left and how many of
-- these were changed since.
select a.audit_id as load_id, a.logged_at as loaded_at, a.actor, s.sales, s.returns, s.changed, p.made,
    coalesce((a.after ->> 'asked')::bigint, p.made) as asked
from (
    select
        load_id,
        count(*) filter (where t.return_of is null) as sales,
        count(t.return_of) as returns,
        count(*) filter (where is_changed) as changed
    from sample_sale
    join sales_transaction as t using (transaction_id)
    group by load_id
) as s
join audit_log as a on a.audit_id = s.load_id
cross join lateral (
    select sum((part.after ->> 'sales')::bigint) as made
    from audit_log as part
    where part.audit_id = s.load_id
        or (part.transaction_id is null and part.operation = 'bulk load' and part.after ->> 'load_id' = s.load_id::text)
) as p
order by a.audit_id desc
