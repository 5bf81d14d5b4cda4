-- changed_of_load: one row per sale of a load that somebody has changed, or has returned items of.
select transaction_id from sample_sale where load_id = :load_id and is_changed order by transaction_id
