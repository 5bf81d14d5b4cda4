-- saved_views: one row per view that :owner may open, own and shared ones: own first, then by name.
select saved_view_id, owner, view_name, state, is_shared, created_at, updated_at
from saved_view
where owner = :owner or is_shared
order by owner <> :owner, lower(view_name), owner, saved_view_id
