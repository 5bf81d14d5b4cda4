# shellcheck shell=bash
# What the start scripts of master and replica share. Each has a volume of its own at $DATA.
DATA=${DATA:-/var/lib/postgresql/data}
SOCKETS=${SOCKETS:-/var/run/postgresql}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s %s\n' "$(date -u '+%F %T UTC')" "$*" >&2; }

refuse() {
    say "$*"
    exit 1
}

# PostgreSQL does not run as root, and a new volume may belong to root.
become_postgres() {
    [ "$(id -u)" = 0 ] || return 0
    install -d -o postgres -g postgres -m 0700 "$DATA"
    install -d -o postgres -g postgres -m 0755 "$SOCKETS"
    exec gosu postgres bash "$0"
}

need() { # NAME...: settings that must not be empty
    for name in "$@"; do
        [ -n "${!name:-}" ] || refuse "$name is empty. Run \`make env\`, then \`docker compose up -d\`."
    done
}

# Each server's files are in a folder below $DATA, which gets its name when it is complete.
move_into_place() { # MADE FOLDER
    sync
    mv "$1" "$2"
    sync
}

options_for() { # NAME FOLDER: sets the array options
    # shellcheck disable=SC2034 # the scripts use it
    options=(
        -D "$2"
        -c "config_file=$here/postgresql.conf"
        -c "hba_file=$here/pg_hba.conf"
        -c "unix_socket_directories=$SOCKETS"
        -c "port=${PORT:-5432}"
        -c "cluster_name=$1"
    )
}
