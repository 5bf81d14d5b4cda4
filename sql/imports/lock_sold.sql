-- lock_sold: one row per sale of :ids that is there, locked, so that nobody returns of it or deletes it meanwhile.
select transaction_id from sales_transaction where transaction_id = any (:ids) order by transaction_id for no key update
