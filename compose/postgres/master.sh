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

make_folder() {
    [ ! -d "$folder" ] || return 0
    say "Creating the master in $folder"
    rm -rf "$DATA/new" # what an interrupted start left
    # One collation, in the binary itself: a newer image's locales cannot break an index.
    initdb -D "$DATA/new" -U postgres -A scram-sha-256 --pwfile=<(printf '%s\n' "$superuser_password") \
        -E UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums --no-instructions >/dev/null
    move_into_place "$DATA/new" "$folder"
}

# Alone and without a password is how a superuser's password can be set: nobody else gets in meanwhile.
set_superuser_password() {
    postgres --single "${options[@]}" postgres >/dev/null \
        <<<"alter role postgres password '${superuser_password//\'/\'\'}'"
}

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
make_folder
rm -f "$folder/postmaster.pid" # of a killed container: its number means another process, or nobody, here
set_superuser_password
set_up
say "Starting the master"
exec postgres "${options[@]}"
