-- sales_item: one row per line of a sale: the key, and the columns that sql/metrics reads.
create table if not exists sales_item (
    item_id bigint primary key,
    transaction_id bigint,
    product_code varchar,
    category varchar,
    quantity int,
    discount numeric,
    total_price numeric
) with (snapshot = 'true', snapshot.batch_size = '5000')
from workbench_master table 'public.sales_item'
