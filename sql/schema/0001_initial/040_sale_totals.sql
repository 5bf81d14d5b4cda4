-- sale_totals: a header's totals follow its lines, whoever writes the lines.
-- A statement that changes lines recomputes the headers that it touched. The headers are locked first, so that two
-- transactions adding lines to one sale each count the other's.
create function sale_totals_follow() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
declare
    touched bigint[];
begin
    if tg_op = 'INSERT' then
        touched := array(select distinct transaction_id from new_lines);
    elsif tg_op = 'DELETE' then
        touched := array(select distinct transaction_id from old_lines);
    else
        touched := array(
            select transaction_id from new_lines union select transaction_id from old_lines
        );
    end if;

    perform from sales_transaction
    where transaction_id = any (touched)
    order by transaction_id
    for no key update;

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
    where t.transaction_id = s.transaction_id
        and (t.total_amount, t.total_discount) is distinct from (s.total_amount, s.total_discount);

    return null;
end
$$;

create trigger sale_totals_insert
    after insert on sales_item referencing new table as new_lines
    for each statement execute function sale_totals_follow();
create trigger sale_totals_update
    after update on sales_item referencing old table as old_lines new table as new_lines
    for each statement execute function sale_totals_follow();
create trigger sale_totals_delete
    after delete on sales_item referencing old table as old_lines
    for each statement execute function sale_totals_follow();
