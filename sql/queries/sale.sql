-- sale: one row, the header of a sale.
select
    transaction_id, transaction_time, cashier_id, store_id, payment_method,
    total_amount, total_discount, customer_id, return_of, created_at, updated_at, version
from sales_transaction
where transaction_id = :transaction_id
