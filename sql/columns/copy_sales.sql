-- copy_sales: one row per sale from one id to another, or of some ids, as the columns hold it. Run by PostgreSQL.
select
    t.transaction_id,
    t.transaction_time,
    {names},
    t.customer_id,
    t.total_amount,
    t.total_discount,
    t.return_of
from sales_transaction as t
where t.transaction_id between :first and :last
    and (cast(:ids as bigint[]) is null or t.transaction_id = any (cast(:ids as bigint[])))
