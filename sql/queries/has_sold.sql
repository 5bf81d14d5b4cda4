-- has_sold: one row, whether anybody has sold before, and whether :store and :cashier have.
select
    exists (select from sales_transaction) as anybody,
    exists (select from sales_transaction where store_id = :store) as store,
    exists (select from sales_transaction where cashier_id = :cashier) as cashier
