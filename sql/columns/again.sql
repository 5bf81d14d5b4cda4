-- again: one row for each sale that is about to be read again: some by their ids, and those between the ids of loads.
create or replace temp table again as
select unnest($sales::bigint[]) as transaction_id
union all
select unnest(range(l.ids[1], l.ids[2] + 1)) from (select unnest($loads::bigint[][]) as ids) as l
