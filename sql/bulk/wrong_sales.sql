-- wrong_sales: one row, how many sales of this load break a rule that triggers and the foreign key hold for each row:
-- a line without its sale, a sale without lines, totals that are not the sums of the lines.
select count(*) as wrong_sales
from (
    select transaction_id, total_amount, total_discount
    from sales_transaction
    where transaction_id between :first_id and :last_id
) as h
full join (
    select transaction_id, sum(total_price) as total_amount, sum(discount) as total_discount
    from sales_item
    where transaction_id between :first_id and :last_id
    group by transaction_id
) as l using (transaction_id)
where (h.total_amount, h.total_discount) is distinct from (l.total_amount, l.total_discount)
