-- update_sale: one row when the sale still had the loaded version and every named line belongs to it; else no row.
-- One statement: after-triggers fire at its end, when header and lines agree, so the version moves by one.
with wanted as (
    select l.*
    from rows from (
        jsonb_to_recordset(cast(:lines as jsonb)) as (
            item_id bigint, product_code text, product_name text, category text,
            quantity integer, unit_price numeric, discount numeric
        )
    ) with ordinality as l (
        item_id, product_code, product_name, category, quantity, unit_price, discount, position
    )
),
header as (
    update sales_transaction
    set
        transaction_time = :transaction_time,
        cashier_id = :cashier_id,
        store_id = :store_id,
        payment_method = :payment_method,
        total_amount = :total_amount,
        total_discount = :total_discount,
        customer_id = :customer_id
    where transaction_id = :transaction_id
        and version = :version
        and not exists (
            select from wanted as w
            where w.item_id is not null
                and not exists (
                    select from sales_item as i
                    where i.item_id = w.item_id and i.transaction_id = :transaction_id
                )
        )
    returning transaction_id, version
),
request as (
    insert into sales_request (request_id, operation, transaction_id, fingerprint, version)
    select cast(:request_id as uuid), 'update', transaction_id, :fingerprint, version
    from header
),
removed as (
    delete from sales_item as i
    using header as h
    where i.transaction_id = h.transaction_id
        and not exists (select from wanted as w where w.item_id = i.item_id)
),
changed as (
    update sales_item as i
    set
        product_code = w.product_code,
        product_name = w.product_name,
        category = w.category,
        quantity = w.quantity,
        unit_price = w.unit_price,
        discount = w.discount,
        total_price = w.quantity * w.unit_price - w.discount
    from header as h
    cross join wanted as w
    where i.transaction_id = h.transaction_id
        and i.item_id = w.item_id
        and (i.product_code, i.product_name, i.category, i.quantity, i.unit_price, i.discount)
            is distinct from (w.product_code, w.product_name, w.category, w.quantity, w.unit_price, w.discount)
),
added as (
    insert into sales_item (
        transaction_id, product_code, product_name, category, quantity, unit_price, discount, total_price
    )
    select
        h.transaction_id, w.product_code, w.product_name, w.category, w.quantity, w.unit_price, w.discount,
        w.quantity * w.unit_price - w.discount
    from header as h
    cross join wanted as w
    where w.item_id is null
    order by w.position
)
select
    transaction_id, version, set_config('workbench.actor', :actor, true) as actor,
    set_config('workbench.undoes', :undoes, true) as undoes
from header
