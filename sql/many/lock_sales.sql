-- lock_sales: one row per sale of :ids that is there, which nobody else changes before this transaction ends.
select transaction_id
from sales_transaction
where transaction_id = any (cast(:ids as bigint[]))
order by transaction_id
for no key update
