-- delete_saved_view: one row, the deleted view; no row when it is not the owner's.
delete from saved_view
where saved_view_id = :saved_view_id and owner = :owner
returning saved_view_id, owner, view_name, state, is_shared, created_at, updated_at
