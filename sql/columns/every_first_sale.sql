-- every_first_sale: the first sale ever of each customer.
insert into first_sales
select s.* exclude (revenue, discount, is_return, return_of)
from fact_sales as s
where s.customer_id is not null and not s.is_return
qualify row_number() over (partition by s.customer_id order by s.transaction_time, s.transaction_id) = 1
