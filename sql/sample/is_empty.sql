-- is_empty: one row, whether there is no sale at all.
select not exists (select from sales_transaction) as is_empty
