-- create_sale: one row per accepted submit, with the new sale's id; no row when the request id was used before.
-- One statement, so that request, header and lines are one transaction in one round trip.
with next_sale as (
    select nextval(pg_get_serial_sequence('sales_transaction', 'transaction_id')) as transaction_id
),
request as (
    insert into sales_request (request_id, operation, transaction_id, fingerprint, version)
    select cast(:request_id as uuid), 'create', transaction_id, :fingerprint, 1
    from next_sale
    on conflict (request_id) do nothing
    returning request_id, transaction_id
),
header as (
    insert into sales_transaction (
        transaction_id, transaction_time, cashier_id, store_id, payment_method,
        total_amount, total_discount, customer_id, request_id, return_of
    )
    select
        transaction_id, :transaction_time, :cashier_id, :store_id, :payment_method,
        :total_amount, :total_discount, :customer_id, request_id, cast(:return_of as bigint)
    from request
    returning transaction_id, version, transaction_time
),
lines as (
    insert into sales_item (
        transaction_id, product_code, product_name, category, quantity, unit_price, discount, total_price
    )
    select
        h.transaction_id, l.product_code, l.product_name, l.category, l.quantity, l.unit_price, l.discount,
        l.quantity * l.unit_price - l.discount
    from header as h
    cross join rows from (
        jsonb_to_recordset(cast(:lines as jsonb)) as (
            product_code text, product_name text, category text, quantity integer, unit_price numeric, discount numeric
        )
    ) with ordinality as l (product_code, product_name, category, quantity, unit_price, discount, position)
    order by l.position
)
select transaction_id, version, transaction_time, set_config('workbench.actor', :actor, true) as actor
from header
