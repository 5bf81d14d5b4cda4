-- create_saved_view: one row, the saved view; no row when the owner has a view of this name and :may_replace is false, or that is one of
-- another page (those of Explore begin with the metrics).
insert into saved_view as v (owner, view_name, state, is_shared)
values (:owner, :view_name, :state, :is_shared)
on conflict (owner, lower(view_name)) do update
set view_name = excluded.view_name, state = excluded.state, is_shared = excluded.is_shared, updated_at = now()
where :may_replace and (v.state like 'metrics=%') = (excluded.state like 'metrics=%')
returning v.saved_view_id, v.owner, v.view_name, v.state, v.is_shared, v.created_at, v.updated_at
