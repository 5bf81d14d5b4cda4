-- take_lines: adds the lines of a file that copy_lines has filled, each with the columns of its sale, which is there.
insert into fact_lines
select
    c.item_id,
    c.transaction_id,
    s.transaction_time,
    s.day,
    s.hour,
    s.store_id,
    s.cashier_id,
    s.payment_method,
    s.customer_type,
    s.customer_id,
    c.category,
    c.product_code,
    c.product_name,
    c.quantity as items,
    c.total_price as revenue,
    c.discount
from read_csv(
    $path,
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
    allow_quoted_nulls = false,
    columns = {
        'item_id': 'bigint', 'transaction_id': 'bigint', 'product_code': 'varchar', 'product_name': 'varchar',
        'category': 'varchar', 'quantity': 'integer', 'total_price': 'decimal(12, 2)', 'discount': 'decimal(12, 2)'
    }
) as c
join fact_sales as s on s.transaction_id = c.transaction_id
