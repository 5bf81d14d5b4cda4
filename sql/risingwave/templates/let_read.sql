-- let_read: a user may read all tables, views and so on ({kinds}) that there are at this moment.
grant select on all {kinds} in schema public to {user}
