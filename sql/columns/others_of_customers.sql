-- others_of_customers: adds all sales of some customers to `again`, one of which is now their first.
insert into again
select s.transaction_id
from fact_sales as s
where s.customer_id in (select unnest($1::integer[]))
