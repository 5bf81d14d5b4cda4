-- What stands behind the triggers nobody calls by hand; a writer takes a deletion back by restore_sale alone.
revoke all on function
    audit_begin(bigint), audit_before(), audit_is_own(xid), audit_reason(), audit_undoes(), audit_log_is_kept(),
    sale_follows(), sale_commit(), restore_sale(bigint, uuid, text), insert_rows(regclass, jsonb)
from public;
grant execute on function restore_sale(bigint, uuid, text) to workbench_writer;
