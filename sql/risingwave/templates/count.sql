-- count: one row, how many rows a table has, on the master or in RisingWave.
select count(*) as held from {name}
