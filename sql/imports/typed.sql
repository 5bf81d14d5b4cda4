-- typed: one row per row of the file: the texts of its fields (given) with amounts as the form writes them, the
-- values of those that are so plain that the form takes them, and whether all of the row are.
create or replace table typed as
with moments as ( -- many rows have one
    select transaction_time, as_time(transaction_time) as moment from (select distinct transaction_time from given)
),
texts as (
    select g.* replace (amount_text(g.unit_price) as unit_price, amount_text(g.discount) as discount), m.moment
    from given as g
    left join moments as m using (transaction_time)
),
valued as (
    select
        *,
        case
            when abs(try_cast(quantity as decimal(28, 3))) <= 2147483647 then try_cast(quantity as decimal(28, 3))
        end as quantity_value,
        case when discount is null then 0 when is_cents(discount) then discount::decimal(10, 2) end as discount_value,
        case when is_cents(unit_price) then unit_price::decimal(10, 2) end as unit_price_value
    from texts
)
select
    *,
    starts_with(quantity, '-') and quantity_value < 0 as is_return,
    try_cast(quantity_value * try_cast(unit_price as decimal(18, 6)) - coalesce(try_cast(discount as decimal(18, 6)), 0)
        as decimal(30, 6)) as value,
    fault is null
        and is_id(quantity)
        and coalesce(unit_price_value > 0, false)
        and coalesce(discount_value <= quantity_value * unit_price_value, false)
        and coalesce(quantity_value * unit_price_value <= 9999999999, false)
        and is_plain_text(product_code, 50)
        and is_plain_text(product_name, 255)
        and (category is null or is_plain_text(category, 100))
        and is_id(store_id)
        and is_id(cashier_id)
        and (customer_id is null or is_id(customer_id))
        and is_plain_text(payment_method, 50)
        and coalesce(moment >= timestamp '2000-01-01' and moment < timestamp '2100-01-01', false) as is_plain
from valued
