-- log: one row per change of the catalogue, newest first: of the entry :entry_key of :kind, of all of the kind where that is
-- null, of all kinds where both are; with :log_id that one alone. Whether it was taken back is with it.
select
    l.log_id,
    l.logged_at,
    l.actor,
    l.operation,
    l.kind,
    l.entry_key,
    l.before,
    l.after,
    l.undoes,
    exists (select from catalogue_log as u where u.undoes = l.log_id) as is_undone
from catalogue_log as l
where (l.kind = :kind or cast(:kind as text) is null)
    and (l.entry_key = :entry_key or cast(:entry_key as text) is null)
    and (l.log_id = :log_id or cast(:log_id as bigint) is null)
order by l.log_id desc
limit :most
