-- rename_saved_view: one row, the view under its new name; no row when it is not the owner's.
update saved_view
set view_name = :view_name, updated_at = now()
where saved_view_id = :saved_view_id and owner = :owner
returning saved_view_id, owner, view_name, state, is_shared, created_at, updated_at
