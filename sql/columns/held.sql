-- held: one row, up to where this copy goes; none when it was made in another way.
select h.revision, h.horizon, h.seen, h.identity, h.lsn
from held as h
where h.definition = $1
