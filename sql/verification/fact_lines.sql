-- fact_lines, said another way: one row per line, its amount worked out from quantity, price and discount.
select
    *,
    cast(date_trunc('day', transaction_time) as date) as day,
    cast(date_part('hour', transaction_time) as int) as hour,
    case when customer_id > 0 then 'card' else 'no card' end as customer_type,
    quantity as items,
    quantity * unit_price - discount as revenue,
    quantity * unit_price < 0 as is_return
from sales_transaction
join sales_item using (transaction_id)
