-- features: at most one row, whether the licence includes secrets. RisingWave 2 has no such list.
select available as is_available from rw_catalog.rw_features where name = 'SecretManagement'
