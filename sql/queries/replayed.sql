-- replayed: one row, up to where this replica has replayed the WAL. Null on a master: there a commit is in the WAL
-- before anybody sees it, so a position that stands still does not tell that nothing has changed.
select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end::text as lsn
