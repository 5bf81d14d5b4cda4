-- risingwave_subscriptions: one row per subscription, its number; what is made anew has another one.
select id from rw_catalog.rw_subscriptions order by id
