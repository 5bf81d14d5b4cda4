-- add_lines: adds the lines that take_lines holds, each with the columns of its sale, which take_sales has added.
insert into fact_lines by name
select
    n.* exclude (product_name),
    s.* exclude (transaction_id, revenue, discount, is_return, return_of, articles_low, articles_high),
    n.items < 0 as is_return
from new_lines as n
join fact_sales as s on s.transaction_id = n.transaction_id;

drop table new_lines;
