# shellcheck shell=bash
# What the start scripts of the PostgreSQL servers share. Each has a volume of its own at $DATA.
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

# What is there is never overwritten: it may be the last copy.
make_folder() { # NAME SUPERUSER PASSWORD: a new server's folder, unless it is there
    if [ -e "$DATA/$1/PG_VERSION" ]; then
        refuse_other_version "$DATA/$1"
        return 0
    fi
    [ ! -e "$DATA/$1" ] || rmdir "$DATA/$1" 2>/dev/null ||
        refuse "$DATA/$1 holds files, but no PostgreSQL server. Put the right folder back, or move these files away."
    say "Creating $DATA/$1"
    rm -rf "$DATA/new" # what an interrupted start left
    # One collation, in the binary itself: a newer image's locales cannot break an index.
    initdb -D "$DATA/new" -U "$2" -A scram-sha-256 --pwfile=<(printf '%s\n' "$3") --data-checksums --no-instructions \
        -E UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 >/dev/null
    move_into_place "$DATA/new" "$DATA/$1"
}

refuse_other_version() { # FOLDER
    local made_by ours
    made_by=$(<"$1/PG_VERSION") ours=$(postgres --version | sed -E 's/.*\) ([0-9]+).*/\1/')
    [ "$made_by" = "$ours" ] || refuse "$1 was made by PostgreSQL $made_by, and this image has $ours. Name the old image" \
        "in docker-compose.yml again, and move the data with pg_dump and psql."
}

# A container that was killed leaves lock files with numbers of its processes, and here they mean others, or nobody: no
# other server can be in this container, and its volume belongs to one container.
forget_killed() { # NAME
    rm -f "$DATA/$1/postmaster.pid" "$SOCKETS"/.s.PGSQL.*
    [ ! -d "$DATA/$1" ] || chmod 0700 "$DATA/$1" # PostgreSQL starts with no other, such as a copy may have
}

# Alone and without a password is how a superuser's password can be set: nobody else gets in meanwhile.
set_superuser_password() { # SUPERUSER PASSWORD
    postgres --single "${options[@]}" postgres >/dev/null <<<"alter role $1 password '${2//\'/\'\'}'"
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
