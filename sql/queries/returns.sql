-- returns: one row per return that takes back from one of the sales :of, the oldest first, with how many pieces it gives
-- back.
select
    t.transaction_id,
    t.return_of,
    t.transaction_time,
    t.total_amount,
    (select -sum(i.quantity) from sales_item as i where i.transaction_id = t.transaction_id) as items,
    t.created_at
from sales_transaction as t
where t.return_of = any (cast(:of as bigint[]))
order by t.transaction_time, t.transaction_id
