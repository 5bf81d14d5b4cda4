"""Speaking to three servers: engines, their limits and failures, reads that see one's own writes, ad-hoc reads."""
