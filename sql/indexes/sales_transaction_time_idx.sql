-- sales_transaction_time_idx: filters by date, and pages of the table of sales, newest first.
create index sales_transaction_time_idx on sales_transaction (transaction_time, transaction_id)
