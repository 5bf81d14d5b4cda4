#!/usr/bin/env bash
# Starts the master. The first start makes its data folder; every start applies the roles, their passwords and the
# rights on the database, so that a changed .env or a newer version of the SQL takes effect, and an interrupted first
# start is completed.
set -euo pipefail
# shellcheck source=compose/postgres/common.sh
. "$(dirname "$0")/common.sh"

SQL=${SQL:-/sql}
folder=$DATA/master
superuser_password=${MASTER_DB_SUPERUSER_PASSWORD:-}

set_up() {
    say "Applying roles, passwords and rights"
    pg_ctl -D "$folder" -w -t 600 -o "$(printf '%q ' "${options[@]}" -c listen_addresses=)" start >/dev/null
    PGPASSWORD=$superuser_password psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -v sql="$SQL" \
        -h "$SOCKETS" -p "${PORT:-5432}" -U postgres -d postgres -f "$here/setup.sql"
    pg_ctl -D "$folder" -w -t 600 -m fast stop >/dev/null
}

become_postgres
trap 'exit 1' TERM INT # everything below can be repeated; the server itself takes this shell's place
need MASTER_DB_SUPERUSER_PASSWORD MASTER_DB_OWNER_PASSWORD MASTER_DB_PASSWORD REPLICA_DB_PASSWORD \
    RISINGWAVE_CDC_PASSWORD MASTER_DB_REPLICATION_PASSWORD
options_for master "$folder"
make_folder master postgres "$superuser_password"
forget_killed master
set_superuser_password postgres "$superuser_password"
set_up
say "Starting the master"
exec postgres "${options[@]}"
