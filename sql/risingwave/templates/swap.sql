-- swap: a filled new view takes the name of the old one, and the old one the new one's, in one moment.
alter materialized view {name} swap with {name}__new
