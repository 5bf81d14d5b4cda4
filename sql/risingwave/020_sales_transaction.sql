-- sales_transaction: one row per sale (the header): the key, and the columns that sql/metrics reads.
-- Integers are as wide as the master's, and numbers and texts have no length: RisingWave takes nothing else.
create table if not exists sales_transaction (
    transaction_id bigint primary key,
    transaction_time timestamp,
    cashier_id int,
    store_id int,
    payment_method varchar,
    total_amount numeric,
    total_discount numeric,
    customer_id int
) with (snapshot = 'true', snapshot.batch_size = '5000')
from workbench_master table 'public.sales_transaction'
