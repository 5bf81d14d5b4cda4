-- lock_load: one row, how many sales of a load are left, their lines, and their first and last id; nobody changes these
-- until the end.
with locked as (
    select t.transaction_id
    from sample_sale as s
    join sales_transaction as t using (transaction_id)
    where s.load_id = :load_id
    order by t.transaction_id
    for update of t
)
select
    count(*) as sales,
    min(transaction_id) as first_id,
    max(transaction_id) as last_id,
    (select count(*) from sales_item where transaction_id in (select transaction_id from locked)) as lines
from locked
