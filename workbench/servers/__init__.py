"""Making, running and watching the servers: the embedded pair, what is made in RisingWave, health and the heartbeat."""
