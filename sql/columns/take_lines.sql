-- take_lines: holds the lines of a file that copy_lines has filled, until take_sales and add_lines have put them in.
create or replace temp table new_lines (
    item_id bigint,
    transaction_id bigint,
    product_code varchar,
    product_name varchar,
    category varchar,
    items integer,
    revenue decimal(12, 2),
    discount decimal(12, 2)
);

insert into new_lines
select c.*
from read_csv(
    $path,
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
    allow_quoted_nulls = false,
    columns = {
        'item_id': 'bigint', 'transaction_id': 'bigint', 'product_code': 'varchar', 'product_name': 'varchar',
        'category': 'varchar', 'quantity': 'integer', 'total_price': 'decimal(12, 2)', 'discount': 'decimal(12, 2)'
    }
) as c
