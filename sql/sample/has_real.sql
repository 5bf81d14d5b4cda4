-- has_real: one row, whether there is a sale that no load of sample data made. The view has each sale once at most, so
-- that counting is enough; looking sales up in it one by one took minutes at 50,000.
select (select count(*) from sales_transaction) > (select count(*) from sample_sale) as has_real
