"""A sale: what it is, the service that alone writes sales, what is asked before one is saved, and known products."""
