-- risingwave_beat: one row, the heartbeat that RisingWave has; every commit up to its lsn is in there too. None: no beat.
-- now() is the time of the checkpoint that is read.
select beat_at, lsn, cast(extract(epoch from now()) * 1000 as bigint) as checkpoint_ms from heartbeat
