-- delete_sales: the sales :ids with their lines. The log gets each: it may be their last copy.
delete from sales_transaction where transaction_id = any (:ids)
