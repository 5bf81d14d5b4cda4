-- sale_follows: a header follows its lines, whoever writes the lines: its totals are theirs, and any change of them moves
-- its version. So whatever is changed of a sale, its header is written in the same transaction, and sale_commit looks at
-- it. A header that this transaction has written already, with the right totals, is left alone: it is nobody else's; but
-- one that is logged already (constraints were made immediate in between) is to be looked at again.
-- The headers are locked first, so that two transactions adding lines to one sale each count the other's.
create function sale_follows() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    touched bigint[];
begin
    if tg_op = 'INSERT' then
        touched := array(select distinct transaction_id from new_lines);
    elsif tg_op = 'DELETE' then
        touched := array(select distinct transaction_id from old_lines);
    else
        touched := array(select transaction_id from new_lines union select transaction_id from old_lines);
    end if;

    touched := array(
        select t.transaction_id
        from sales_transaction as t
        cross join lateral (
            select coalesce(sum(i.total_price), 0) as total_amount, coalesce(sum(i.discount), 0) as total_discount
            from sales_item as i
            where i.transaction_id = t.transaction_id
        ) as s
        where t.transaction_id = any (touched)
            and (
                (t.total_amount, t.total_discount) is distinct from (s.total_amount, s.total_discount)
                or not (t.xmin = pg_current_xact_id()::xid or audit_is_own(t.xmin))
                or exists (
                    select from audit_log as a
                    where a.xact_id = pg_current_xact_id() and a.transaction_id = t.transaction_id
                        and a.after is not null
                )
            )
        order by t.transaction_id
    );
    if touched = '{}' then
        return null;
    end if;

    perform audit_begin(transaction_id) from unnest(touched) as t (transaction_id);
    update sales_transaction as t
    set total_amount = s.total_amount, total_discount = s.total_discount
    from (
        select
            h.transaction_id,
            coalesce(sum(i.total_price), 0) as total_amount,
            coalesce(sum(i.discount), 0) as total_discount
        from unnest(touched) as h (transaction_id)
        left join sales_item as i using (transaction_id)
        group by h.transaction_id
    ) as s
    where t.transaction_id = s.transaction_id;
    return null;
end
$$;

drop trigger sale_totals_insert on sales_item;
drop trigger sale_totals_update on sales_item;
drop trigger sale_totals_delete on sales_item;
drop function sale_totals_follow();

create trigger sale_follows_insert
    after insert on sales_item referencing new table as new_lines
    for each statement execute function sale_follows();
create trigger sale_follows_update
    after update on sales_item referencing old table as old_lines new table as new_lines
    for each statement execute function sale_follows();
create trigger sale_follows_delete
    after delete on sales_item referencing old table as old_lines
    for each statement execute function sale_follows();
