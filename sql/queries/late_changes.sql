-- late_changes: one row per entry of the audit log and day of sales whose figures it changed after that day was over on the
-- stores' clock, :zone; days from :first to before :after_last, the largest first, at most :most. An entry takes what a sale
-- was from its day and adds what it became to its day then; a store that is given counts what the sale was or became there.
-- A return is no sale. A bulk load, and an import, counts once a day, with its sales as they were loaded; a load that was
-- undone counts nothing.
with side as (
    select a.audit_id, a.logged_at, a.actor, a.operation, a.undoes, a.transaction_id, s.sign, s.sale
    from audit_log as a
    cross join lateral (values (-1, a.before), (1, a.after)) as s (sign, sale)
    where a.transaction_id is not null and a.item_id is null and s.sale is not null
        and a.logged_at >= cast(:first as timestamp) at time zone :zone
),
changed as (
    select
        audit_id, logged_at, actor,
        case operation
            when 'insert' then case when undoes is null then 'created' else 'restored' end
            when 'update' then 'edited'
            else 'deleted'
        end as kind,
        transaction_id,
        (sale ->> 'transaction_time')::timestamp as at,
        (sale ->> 'store_id')::integer as store_id,
        sign * (sale ->> 'total_amount')::numeric as revenue,
        case when sale ->> 'return_of' is null then sign else 0 end as sales
    from side
),
load as (
    select audit_id, logged_at, actor, operation, (after ->> 'first_id')::bigint as first_id, (after ->> 'last_id')::bigint as last_id
    from audit_log
    where transaction_id is null and operation in ('bulk load', 'import') and after ? 'first_id'
        and logged_at >= cast(:first as timestamp) at time zone :zone
),
first_entry as (
    select distinct on (a.transaction_id) a.transaction_id, a.before
    from load as l
    join audit_log as a on a.transaction_id between l.first_id and l.last_id
    where a.item_id is null
    order by a.transaction_id, a.audit_id
),
loaded as (
    select t.transaction_id, t.transaction_time as at, t.store_id, t.total_amount, t.return_of is null as is_sale
    from sales_transaction as t
    where t.transaction_time >= :first and t.transaction_time < :after_last
        and not exists (select from first_entry as f where f.transaction_id = t.transaction_id)
    union all
    select transaction_id, (before ->> 'transaction_time')::timestamp, (before ->> 'store_id')::integer,
        (before ->> 'total_amount')::numeric, before ->> 'return_of' is null
    from first_entry
    where before is not null
),
contribution as (
    select * from changed
    union all
    select l.audit_id, l.logged_at, l.actor, l.operation, null, s.at, s.store_id, s.total_amount, s.is_sale::integer
    from load as l
    join loaded as s on s.transaction_id between l.first_id and l.last_id
)
select
    audit_id, logged_at, actor, kind, transaction_id, at::date as day, sum(revenue) as revenue, sum(sales)::bigint as sales
from contribution
where at >= :first and at < :after_last
    and logged_at >= (at::date + 1)::timestamp at time zone :zone
    and (store_id = :store_id or cast(:store_id as integer) is null)
group by audit_id, logged_at, actor, kind, transaction_id, at::date
having sum(revenue) <> 0 or sum(sales) <> 0
order by abs(sum(revenue)) desc, audit_id desc, day desc
limit :most
