-- wrong_sales: one row, how many sales of this load break a rule that triggers and the foreign key hold for each row:
-- a line without its sale, a sale without lines, totals that are not the sums of the lines, quantities of the wrong sign,
-- and how many give back, together with their returns, something that they have not sold.
select
    (
        select count(*)
        from (
            select transaction_id, total_amount, total_discount, return_of
            from sales_transaction
            where transaction_id between :first_id and :last_id
        ) as h
        full join (
            select
                transaction_id,
                sum(total_price) as total_amount,
                sum(discount) as total_discount,
                min(quantity) as fewest,
                max(quantity) as most
            from sales_item
            where transaction_id between :first_id and :last_id
            group by transaction_id
        ) as l using (transaction_id)
        where (h.total_amount, h.total_discount) is distinct from (l.total_amount, l.total_discount)
            or case when h.return_of is null then l.fewest < 0 else l.most > 0 end
    ) + (
        select count(distinct sale_id)
        from (
            select s.sale_id
            from (
                select g.sale_id, unnest(array[g.sale_id, r.transaction_id]) as transaction_id
                from (
                    select distinct return_of as sale_id
                    from sales_transaction
                    where transaction_id between :first_id and :last_id and return_of is not null
                ) as g
                join sales_transaction as r on r.return_of = g.sale_id
                group by g.sale_id, unnest(array[g.sale_id, r.transaction_id])
            ) as s
            join sales_item as i using (transaction_id)
            group by s.sale_id, i.product_code, i.unit_price
            having sum(i.quantity) < 0 or sum(i.total_price) < 0 or sum(i.discount) < 0
        ) as product
    ) as wrong_sales
