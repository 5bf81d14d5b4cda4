-- imports_seen: one row, a text that is another one once anything was imported or undone since.
select count(*) || '/' || count(undone_at) as seen from sales_import
