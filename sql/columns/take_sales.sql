-- take_sales: adds the sales of a file that copy_sales has filled, with the articles of the lines that take_lines holds.
insert into fact_sales by name
select
    c.* exclude (total_amount, total_discount),
    c.transaction_time::date as day,
    extract(hour from c.transaction_time) as hour,
    case when c.customer_id is null then 'no card' else 'card' end as customer_type,
    c.total_amount as revenue,
    c.total_discount as discount,
    c.total_amount + c.total_discount < 0 as is_return,
    coalesce((b.articles & 18446744073709551615::uhugeint)::ubigint, 0) as articles_low,
    coalesce((b.articles >> 64)::ubigint, 0) as articles_high
from read_csv(
    $path,
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
    allow_quoted_nulls = false,
    columns = {{
        'transaction_id': 'bigint', 'transaction_time': 'timestamp', {types},
        'customer_id': 'integer', 'total_amount': 'decimal(12, 2)', 'total_discount': 'decimal(12, 2)',
        'return_of': 'bigint'
    }}
) as c
left join (
    select n.transaction_id, bit_or(1::uhugeint << least(n.article, 127)::uhugeint) as articles
    from new_lines as n
    group by n.transaction_id
) as b on b.transaction_id = c.transaction_id
