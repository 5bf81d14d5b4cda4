-- change_sales: one row per sale of :sales that was at its version there, changed to what is given of it; null leaves a field as
-- it is. The log has :undoes as the entry that is taken back (empty: none).
update sales_transaction as t
set
    payment_method = coalesce(w.payment_method, t.payment_method),
    store_id = coalesce(w.store_id, t.store_id),
    cashier_id = coalesce(w.cashier_id, t.cashier_id)
from jsonb_to_recordset(cast(:sales as jsonb)) as w (
    transaction_id bigint, version integer, payment_method text, store_id integer, cashier_id integer
)
where t.transaction_id = w.transaction_id and t.version = w.version
returning t.transaction_id, set_config('workbench.undoes', :undoes, true) as undoes
