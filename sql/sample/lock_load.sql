-- lock_load: one row, how many sales and returns of a load are left, their lines, and their first and last id; nobody changes these
-- until the end.
with locked as (
    select t.transaction_id, t.return_of
    from sample_sale as s
    join sales_transaction as t using (transaction_id)
    where s.load_id = :load_id
    order by t.transaction_id
    for update of t
)
select
    count(*) filter (where return_of is null) as sales,
    count(return_of) as returns,
    min(transaction_id) as first_id,
    max(transaction_id) as last_id,
    (select count(*) from sales_item where transaction_id in (select transaction_id from locked)) as lines
from locked
