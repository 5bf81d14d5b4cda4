-- sale: one row per sale of the file, in its order: the rows of one invoice number of one store, or a row by itself ($by_row).
-- It is plain when all its rows are, what is said of it once is the same in all of them, and nobody has to be asked about
-- who may write it. What the rows disagree on is named.
create or replace table sale as
with keyed as (
    select
        *,
        case when $by_row then $file_key || ':' || row else invoice end as key,
        try_cast(try_cast(store_id as decimal(18, 3)) as integer) as store_value
    from typed
)
select
    row_number() over (order by min(row)) as sale,
    store_id as store_text,
    key as invoice,
    list(row order by row) as rows,
    min(moment) as moment,
    bool_or(is_return) as has_return,
    bool_or(fault is not null) as has_fault,
    concat_ws(', ',
        case when min(cashier_id) < max(cashier_id) then 'cashiers' end,
        case when min(payment_method) < max(payment_method) then 'payment methods' end,
        case when min(coalesce(customer_id, '')) < max(coalesce(customer_id, '')) then 'customers' end,
        case when min(moment)::date < max(moment)::date then 'days' end
    ) as disagrees,
    bool_and(is_plain)
        and key is not null
        and disagrees = ''
        and count(*) <= $most_lines
        and sum(quantity_value * unit_price_value) <= 9999999999
        and ($since is null or min(moment) >= $since)
        and ($stores is null or bool_and(coalesce(list_contains($stores, store_value), false))) as is_plain,
    md5(concat_ws(
        chr(30), min(cashier_id), min(payment_method), coalesce(min(customer_id), ''), min(moment),
        string_agg(
            concat_ws(
                chr(31), product_code, product_name, coalesce(category, ''), quantity, unit_price, coalesce(discount, '')
            ),
            chr(30) order by row
        )
    )) as fingerprint
from keyed
group by store_id, key, case when key is null then row end
