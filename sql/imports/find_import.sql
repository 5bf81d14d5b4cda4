-- find_import: one row, the import :import_id, when there is one.
select import_id, file_name, undone_at, undone_by from sales_import where import_id = :import_id
