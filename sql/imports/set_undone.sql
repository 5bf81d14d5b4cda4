-- set_undone: the import :import_id is undone.
update sales_import set undone_at = clock_timestamp(), undone_by = :actor where import_id = :import_id
