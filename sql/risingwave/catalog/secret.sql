-- secret: at most one row, when RisingWave keeps a secret of this name.
select name from rw_catalog.rw_secrets where name = :name
