-- mappings: one row per kept mapping, by name.
select mapping_name, mapping from import_mapping order by lower(mapping_name)
