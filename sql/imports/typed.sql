-- typed: one row per row of the file: the texts of its fields (given) with amounts as the form writes them, the
-- values of those that are so plain that the form takes them, and whether all of the row are. Where the file has totals of
-- lines in place of prices, the price is what the total and the discount come to for one, and total_fault says why there
-- is none.
create or replace table typed as
with moments as ( -- many rows have one
    select transaction_time, as_time(transaction_time) as moment from (select distinct transaction_time from given)
),
texts as (
    select
        g.* replace (
            amount_text(g.unit_price) as unit_price, amount_text(g.discount) as discount,
            amount_text(g.line_total) as line_total
        ),
        m.moment, try_cast(amount_text(g.line_total) as decimal(18, 6)) as total_value,
        try_cast(g.quantity as decimal(18, 3)) as pieces,
        total_value + coalesce(try_cast(amount_text(g.discount) as decimal(18, 6)), 0) as before_discount,
        try_cast(before_discount / nullif(pieces, 0) as decimal(18, 6)) as price_of_one
    from given as g
    left join moments as m using (transaction_time)
),
priced as (
    select
        * exclude (pieces, before_discount, price_of_one) replace (
            case
                when not getvariable('has_totals') then unit_price
                when price_of_one = round(price_of_one, 2) and price_of_one * pieces = before_discount
                    then price_of_one::decimal(18, 2)::varchar
                else line_total
            end as unit_price
        ),
        case
            when not getvariable('has_totals') then null
            when line_total is null then 'missing'
            when total_value is null then 'amount'
            when pieces is null or pieces = 0 then null -- the form says what is wrong with the quantity
            when price_of_one < 0 then 'signs'
            when price_of_one <> round(price_of_one, 2) or price_of_one * pieces <> before_discount then 'cents'
        end as total_fault
    from texts
),
valued as (
    select
        *,
        case
            when abs(try_cast(quantity as decimal(28, 3))) <= 2147483647 then try_cast(quantity as decimal(28, 3))
        end as quantity_value,
        case when discount is null then 0 when is_cents(discount) then discount::decimal(10, 2) end as discount_value,
        case when is_cents(unit_price) then unit_price::decimal(10, 2) end as unit_price_value
    from priced
)
select
    * exclude (total_value),
    starts_with(quantity, '-') and quantity_value < 0 as is_return,
    try_cast(coalesce(
        total_value,
        quantity_value * try_cast(unit_price as decimal(18, 6)) - coalesce(try_cast(discount as decimal(18, 6)), 0)
    ) as decimal(30, 6)) as value,
    fault is null
        and total_fault is null
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
