-- has_sold: one row, whether anybody has sold before, and whether :store and :cashier are known: have sold, or are listed.
select
    exists (select from sales_transaction) as anybody,
    exists (select from sales_transaction where store_id = :store)
        or exists (select from store where store_id = :store) as store,
    exists (select from sales_transaction where cashier_id = :cashier)
        or exists (select from cashier where cashier_id = :cashier) as cashier
