-- copy_imported: one row per sale of an import, from the client.
copy imported_sale (transaction_id, import_id, store_id, invoice, fingerprint) from stdin
