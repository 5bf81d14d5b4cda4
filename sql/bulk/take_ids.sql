-- take_ids: one row, the next :count transaction ids. They are in a row from first_id on, or, where another session
-- took some in between, listed in scattered_ids.
select
    min(transaction_id) as first_id,
    case when max(transaction_id) - min(transaction_id) >= count(*) then array_agg(transaction_id) end as scattered_ids
from (
    select nextval(pg_get_serial_sequence('sales_transaction', 'transaction_id')) as transaction_id
    from generate_series(1, :count)
) as taken
