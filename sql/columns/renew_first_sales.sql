-- renew_first_sales: renews the first sale ever of each customer who had, or has, one of the sales just read.
insert into touched_customers
select distinct s.customer_id
from fact_sales as s
where s.customer_id is not null and s.transaction_id in (select a.transaction_id from again as a);

delete from first_sales where customer_id in (select t.customer_id from touched_customers as t);

insert into first_sales
select s.* exclude (revenue, discount)
from fact_sales as s
where s.customer_id in (select t.customer_id from touched_customers as t)
qualify row_number() over (partition by s.customer_id order by s.transaction_time, s.transaction_id) = 1;
