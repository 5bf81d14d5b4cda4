-- add_lines: adds the lines that take_lines holds, each with the columns of its sale, which take_sales has added.
insert into fact_lines
select
    n.item_id,
    n.transaction_id,
    s.transaction_time,
    s.day,
    s.hour,
    s.store_id,
    s.cashier_id,
    s.payment_method,
    s.customer_type,
    s.customer_id,
    n.category,
    n.product_code,
    n.article,
    n.items,
    n.revenue,
    n.discount,
    n.items < 0 as is_return
from new_lines as n
join fact_sales as s on s.transaction_id = n.transaction_id;

drop table new_lines;
