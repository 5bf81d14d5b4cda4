-- The writer gives a sale what was sold, when and by whom. What the database itself keeps (created_at, updated_at,
-- version) it can neither give nor change. Totals follow the lines in the writer's name, so it must be able to set them.
revoke insert, update on sales_transaction from workbench_writer;
grant insert (
    transaction_id, transaction_time, cashier_id, store_id, payment_method, total_amount, total_discount, customer_id,
    request_id
) on sales_transaction to workbench_writer;
grant update (
    transaction_time, cashier_id, store_id, payment_method, total_amount, total_discount, customer_id
) on sales_transaction to workbench_writer;
