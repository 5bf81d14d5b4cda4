-- products: one row per product code and name ever sold. A loose index scan: one probe a product, however many lines.
with recursive product as (
    (
        select product_code, product_name
        from sales_item
        order by product_code, product_name
        limit 1
    )
    union all
    select n.product_code, n.product_name
    from product as p
    cross join lateral (
        select i.product_code, i.product_name
        from sales_item as i
        where (i.product_code, i.product_name) > (p.product_code, p.product_name)
        order by i.product_code, i.product_name
        limit 1
    ) as n
)
select product_code, product_name
from product
order by product_code, product_name
