-- audit_log: from here on one row per sale and transaction that changed it (table_name sales_transaction), before and after
-- as one document: the header's columns, and "lines", in the order of entry. Rows from before stay as they are: one per
-- changed header or line. Why it was done, and which earlier entry it takes back, are said by who does it.
alter table audit_log
    add column reason text,
    add column undoes bigint;

-- One of these is looked up at each change: has this transaction an entry of this sale yet?
drop index audit_log_xact_idx;
create index audit_log_xact_idx on audit_log (xact_id, transaction_id);
create index audit_log_undoes_idx on audit_log (undoes) where undoes is not null;
create index audit_log_logged_idx on audit_log (logged_at);

-- An entry is its transaction's until that commits. Then nobody changes it, and nobody empties the log: its owner too
-- would have to drop these triggers first.
create function audit_log_is_kept() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    raise exception 'the audit log is only added to'
        using errcode = 'insufficient_privilege', table = 'audit_log';
end
$$;

create trigger audit_log_is_kept
    before update or delete on audit_log
    for each row when (old.xact_id <> pg_current_xact_id()) execute function audit_log_is_kept();
create trigger audit_log_is_not_emptied
    before truncate on audit_log
    for each statement execute function audit_log_is_kept();
alter table audit_log enable always trigger audit_log_is_kept;
alter table audit_log enable always trigger audit_log_is_not_emptied;
