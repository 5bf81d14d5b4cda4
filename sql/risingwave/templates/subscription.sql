-- subscription: the changes of a table, kept for as long as a reader may be away and go on where it was.
create subscription if not exists sub_{name} from {name} with (retention = '6 hours')
