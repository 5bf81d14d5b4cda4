-- keep_mapping: the mapping of this name is this one from now on.
insert into import_mapping (mapping_name, mapping, kept_by)
values (:mapping_name, cast(:mapping as jsonb), :actor)
on conflict (mapping_name) do update set mapping = excluded.mapping, kept_by = excluded.kept_by, kept_at = now()
