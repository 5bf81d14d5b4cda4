-- sales_transaction_hour_stats: how many hours there are. Without it the planner expects as many groups as sales when
-- figures are grouped by hour, and neither hashes nor works in parallel. ANALYZE fills it.
create statistics sales_transaction_hour_stats on (extract(hour from transaction_time)::int)
from sales_transaction;
