-- delete_lines_of_load: the lines of a load's sales.
delete from sales_item where transaction_id in (select transaction_id from sample_sale where load_id = :load_id)
