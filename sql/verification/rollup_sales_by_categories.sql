-- rollup_sales_by_categories, said another way: one row per day, store and array of a sale's categories, as one text.
select
    day,
    store_id,
    (
        select string_agg(marked, '' order by marked)
        from unnest(sets.categories) as category, coalesce(length(category) || ':' || category, '-') as marked
    ) as categories,
    count(*) as sales
from (
    select
        cast(date_trunc('day', transaction_time) as date) as day,
        store_id,
        array_agg(distinct category) as categories
    from sales_transaction
    join sales_item using (transaction_id)
    group by transaction_id
) as sets
group by day, store_id, sets.categories
