-- several_names: one row per product code that has several names, those with the most first.
select product_code, count(distinct product_name) as names
from line
group by product_code
having names > 1
order by names desc, product_code
