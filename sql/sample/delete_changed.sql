-- delete_changed: the sales of a load that somebody has changed, with their lines and their returns. The log gets each: it is
-- their last copy.
delete from sales_transaction where transaction_id = any (:ids) or return_of = any (:ids)
