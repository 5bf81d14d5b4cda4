-- sale_ids: one row, the lowest and the highest id of the sales from one day to another, both included.
-- "+ 0" keeps the planner from walking the key from its end; the index of times holds both columns.
select min(t.transaction_id + 0) as first_id, max(t.transaction_id + 0) as last_id
from sales_transaction as t
where t.transaction_time >= :first and t.transaction_time < cast(:last as date) + 1
