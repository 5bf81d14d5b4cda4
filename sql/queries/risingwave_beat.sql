-- risingwave_beat: one row, the heartbeat that RisingWave has; every commit up to its lsn is in there too. None: no beat.
select beat_at, lsn from heartbeat
