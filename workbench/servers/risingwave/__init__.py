"""RisingWave: what it says of itself, and what the workbench makes in it."""
