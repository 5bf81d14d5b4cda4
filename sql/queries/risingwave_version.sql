-- risingwave_version: one row, RisingWave's version among other words.
select version() as version
