-- sales_transaction_customer_idx: the sales of one customer.
create index sales_transaction_customer_idx on sales_transaction (customer_id, transaction_id)
where customer_id is not null
