-- rollup_sales_by_categories: one row per day, store and set of categories that a sale's lines have.
-- Each sale is in one row, so sales add up over everything. A set is one text: its categories in order, each written as
-- its length, ":" and itself; "-" stands for lines without one.
select
    s.day,
    s.store_id,
    s.categories,
    count(*) as sales
from (
    select
        c.transaction_id,
        c.day,
        c.store_id,
        string_agg(c.category, '' order by c.category) as categories
    from (
        select
            t.transaction_id,
            t.transaction_time::date as day,
            t.store_id,
            coalesce(length(i.category)::varchar || ':' || i.category, '-') as category
        from sales_item as i
        join sales_transaction as t on t.transaction_id = i.transaction_id
        group by
            t.transaction_id,
            t.transaction_time::date,
            t.store_id,
            coalesce(length(i.category)::varchar || ':' || i.category, '-')
    ) as c
    group by c.transaction_id, c.day, c.store_id
) as s
group by s.day, s.store_id, s.categories
