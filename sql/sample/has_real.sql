-- has_real: one row, whether there is a sale that no load of sample data made.
select exists (
    select from sales_transaction as t
    where not exists (select from sample_sale as s where s.transaction_id = t.transaction_id)
) as has_real
