-- without_row_triggers: for this transaction alone neither triggers nor the foreign key look at single rows; what they
-- would have kept out is looked for by sql/bulk/wrong_sales.sql, many sales at once. Constraints stay as they are.
set local session_replication_role = replica
