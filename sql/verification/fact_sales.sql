-- fact_sales, said another way: one row per sale or return, its amounts added up from its lines.
select
    s.*,
    cast(date_trunc('day', transaction_time) as date) as day,
    cast(date_part('hour', transaction_time) as int) as hour,
    case when customer_id > 0 then 'card' else 'no card' end as customer_type,
    (select coalesce(sum(i.total_price), 0) from sales_item as i where i.transaction_id = s.transaction_id) as revenue,
    (select coalesce(sum(i.discount), 0) from sales_item as i where i.transaction_id = s.transaction_id) as discount,
    (select coalesce(min(i.quantity) < 0, false) from sales_item as i where i.transaction_id = s.transaction_id) as is_return
from sales_transaction as s
