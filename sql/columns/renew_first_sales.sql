-- renew_first_sales: what of the sales of `again` is the first one ever of its customer, as far as is known by now.
merge into first_sales as f
using (
    select s.* exclude (revenue, discount, is_return, return_of)
    from fact_sales as s
    where s.customer_id is not null and not s.is_return and s.transaction_id in (select a.transaction_id from again as a)
    qualify row_number() over (partition by s.customer_id order by s.transaction_time, s.transaction_id) = 1
) as s on s.customer_id = f.customer_id
when matched and (s.transaction_time, s.transaction_id) < (f.transaction_time, f.transaction_id) then update
when not matched then insert
