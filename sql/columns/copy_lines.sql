-- copy_lines: one row per line of the same sales as copy_sales, as the columns hold it. Run by PostgreSQL.
select
    i.item_id,
    i.transaction_id,
    i.product_code,
    i.product_name,
    i.category,
    i.quantity,
    i.total_price,
    i.discount
from sales_item as i
where i.transaction_id between :first and :last
    and (cast(:ids as bigint[]) is null or i.transaction_id = any (cast(:ids as bigint[])))
