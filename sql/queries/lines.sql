-- lines: one row per line of a sale, in the order in which they were entered.
select item_id, product_code, product_name, category, quantity, unit_price, discount, total_price
from sales_item
where transaction_id = :transaction_id
order by item_id
