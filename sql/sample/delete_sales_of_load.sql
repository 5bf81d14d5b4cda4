-- delete_sales_of_load: a load's sales.
delete from sales_transaction where transaction_id in (select transaction_id from sample_sale where load_id = :load_id)
