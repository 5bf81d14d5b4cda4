-- forget: takes the sales out that are about to be read again, with their lines; `again` has a row for each of them.
create or replace temp table touched_customers as
select distinct s.customer_id
from fact_sales as s
where s.customer_id is not null and s.transaction_id in (select a.transaction_id from again as a);

delete from fact_lines where transaction_id in (select a.transaction_id from again as a);

delete from fact_sales where transaction_id in (select a.transaction_id from again as a);
