-- day_before: one row, the day from which on there are :sales sales before a day; no row when there are fewer.
select t.transaction_time::date - date '2000-01-01' as day
from sales_transaction as t
where t.transaction_time::date < date '2000-01-01' + cast(:day as integer)
order by t.transaction_time::date desc
offset :sales
limit 1
