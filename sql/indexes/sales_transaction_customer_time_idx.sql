-- sales_transaction_customer_time_idx: the sales of one customer, and which of them was the first.
create index sales_transaction_customer_time_idx on sales_transaction (customer_id, transaction_time, transaction_id)
where customer_id is not null
