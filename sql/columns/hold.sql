-- hold: up to where this copy goes from now on.
update held set revision = $1, horizon = $2, seen = $3, identity = $4, lsn = $5
