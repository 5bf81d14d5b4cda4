-- days_now: one row per day from :first to before :after_last that has a sale or a return, its sales and
-- its revenue as they are now.
select transaction_time::date as day, count(*) filter (where return_of is null) as sales, sum(total_amount) as revenue
from sales_transaction
where transaction_time >= :first and transaction_time < :after_last
    and (store_id = :store_id or cast(:store_id as integer) is null)
group by 1
order by 1
