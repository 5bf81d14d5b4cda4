-- relations: one row per table, view and so on that there is, unfinished ones too.
select relation_type as kind, name from rw_catalog.rw_relations where relation_type <> 'system table'
