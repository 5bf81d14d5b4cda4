-- copy_headers: one row per sale, from the client.
copy sales_transaction (
    transaction_id, transaction_time, cashier_id, store_id, payment_method, total_amount, total_discount, customer_id,
    return_of
) from stdin
