-- product: one row, the latest line of a product: what it is called, its category and its price now.
select product_code, product_name, category, unit_price
from sales_item
where product_code = :product_code
order by item_id desc
limit 1
