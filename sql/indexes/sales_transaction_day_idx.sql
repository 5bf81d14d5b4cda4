-- sales_transaction_day_idx: the rollups read and renew whole days of the store's clock, and group by them.
create index sales_transaction_day_idx on sales_transaction ((transaction_time::date))
