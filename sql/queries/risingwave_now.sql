-- risingwave_now: one row, the time of RisingWave's last checkpoint in milliseconds since 1970.
select cast(extract(epoch from now()) * 1000 as bigint) as now_ms
