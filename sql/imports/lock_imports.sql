-- lock_imports: imports, and their undoing, take turns until the end of the transaction. No rows.
lock table sales_import in share row exclusive mode
