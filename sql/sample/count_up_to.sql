-- count_up_to: one row, how many sales there are, counted no further than :most.
select count(*) as sales
from (select from sales_transaction limit :most) as counted
