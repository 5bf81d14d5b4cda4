-- first_sales, said another way: one row per customer, the sale before which the customer has none.
select distinct on (customer_id)
    *,
    cast(date_trunc('day', transaction_time) as date) as day,
    cast(date_part('hour', transaction_time) as int) as hour,
    'card' as customer_type
from sales_transaction
where customer_id > 0 and not exists (
    select from sales_item as i where i.transaction_id = sales_transaction.transaction_id and i.quantity < 0
)
order by customer_id, transaction_time, transaction_id
