-- sales: one row per sale of :ids that is there, its header.
select t.*
from sales_transaction as t
where t.transaction_id = any (cast(:ids as bigint[]))
order by t.transaction_id
