-- take_lines: holds the lines of a file that copy_lines has filled, each with its article unless add_articles has yet to
-- number it, until take_sales and add_lines have put them in. CSV writes a missing value without quotes.
create or replace temp table new_lines as
select
    c.*,
    (
        select a.article
        from articles as a
        where a.product_code = c.product_code
            and a.product_name = c.product_name
            and a.category is not distinct from c.category
    ) as article
from read_csv(
    $path,
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
    allow_quoted_nulls = false,
    columns = {
        'item_id': 'bigint', 'transaction_id': 'bigint', 'product_code': 'varchar', 'product_name': 'varchar',
        'category': 'varchar', 'items': 'integer', 'revenue': 'decimal(12, 2)', 'discount': 'decimal(12, 2)'
    }
) as c
