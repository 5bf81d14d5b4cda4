-- sample_sale: one row per made-up sale or return that is there: the load that made it, and whether anybody has changed it
-- since, or has given items of it back. As in 0008.
create or replace view sample_sale as
with load as materialized (
    select
        coalesce((after ->> 'load_id')::bigint, audit_id) as load_id,
        min((after ->> 'first_id')::bigint) as first_id,
        max((after ->> 'last_id')::bigint) as last_id
    from audit_log
    where transaction_id is null and operation = 'bulk load' and after ? 'first_id'
    group by 1
),
touched as (
    select
        transaction_id,
        bool_or(table_name = 'sales_transaction' and operation = 'insert' and undoes is null) as is_made
    from audit_log
    where transaction_id is not null
    group by transaction_id
),
given_back as (
    select distinct r.return_of as transaction_id
    from sales_transaction as r
    join touched as c using (transaction_id)
    where r.return_of is not null and c.is_made
)
select t.transaction_id, l.load_id, c.transaction_id is not null or g.transaction_id is not null as is_changed
from load as l
join sales_transaction as t on t.transaction_id between l.first_id and l.last_id
left join touched as c on c.transaction_id = t.transaction_id
left join given_back as g on g.transaction_id = t.transaction_id
where c.is_made is not true
    and not exists (
        select from load as later
        where later.load_id > l.load_id and t.transaction_id between later.first_id and later.last_id
    );
