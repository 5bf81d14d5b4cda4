-- take_sales: adds the sales of a file that copy_sales has filled, with the articles of the lines that take_lines holds,
-- those not known yet with them, the most sold first. CSV writes a missing value without quotes.
insert into articles
select
    w.article,
    1::uhugeint << least(w.article, 127)::uhugeint as bit,
    w.product_code,
    w.product_name,
    w.category
from (
    select
        n.product_code,
        n.product_name,
        n.category,
        (select count(*) from articles) + row_number() over (order by count(*) desc) - 1 as article
    from new_lines as n
    left join articles as a
        on a.product_code = n.product_code
            and a.product_name = n.product_name
            and a.category is not distinct from n.category
    where a.article is null
    group by n.product_code, n.product_name, n.category
) as w;

insert into fact_sales
select
    c.transaction_id,
    c.transaction_time,
    c.transaction_time::date as day,
    extract(hour from c.transaction_time) as hour,
    c.store_id,
    c.cashier_id,
    c.payment_method,
    case when c.customer_id is null then 'no card' else 'card' end as customer_type,
    c.customer_id,
    c.total_amount as revenue,
    c.total_discount as discount,
    coalesce(b.articles, 0) as articles
from read_csv(
    $path,
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
    allow_quoted_nulls = false,
    columns = {
        'transaction_id': 'bigint', 'transaction_time': 'timestamp', 'store_id': 'integer', 'cashier_id': 'integer',
        'payment_method': 'varchar', 'customer_id': 'integer', 'total_amount': 'decimal(12, 2)',
        'total_discount': 'decimal(12, 2)'
    }
) as c
left join (
    select n.transaction_id, bit_or(a.bit) as articles
    from new_lines as n
    join articles as a
        on a.product_code = n.product_code
            and a.product_name = n.product_name
            and a.category is not distinct from n.category
    group by n.transaction_id
) as b on b.transaction_id = c.transaction_id
