-- workbench_master: the master's changes, read through one slot for all tables below.
-- The publication is made beforehand (sql/schema), so that the role needs no right over the tables. The heartbeat moves
-- the slot on while nothing is sold. A slot that is made for failover (PostgreSQL 17 and newer) outlives the master.
-- Where RisingWave keeps secrets, the password is one. The root certificate is a file where RisingWave runs; without
-- the setting its line is left out.
create source if not exists workbench_master with (
    connector = 'postgres-cdc',
    hostname = :host,
    port = :port,
    username = :user,
    password = :password,
    database.name = :database,
    schema.name = 'public',
    slot.name = :slot,
    publication.name = 'workbench_publication',
    publication.create.enable = 'false',
    ssl.mode = :ssl_mode,
    ssl.root.cert = :ssl_root_cert,
    debezium.heartbeat.interval.ms = '10000',
    debezium.slot.failover = :failover,
    cdc.source.wait.streaming.start.timeout = '120'
)
