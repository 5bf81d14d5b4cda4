#!/usr/bin/env bash
# Runs the replica: a physical standby, copied from the master when there is no copy that can follow it. It keeps
# looking whether it still can: when its slot is gone it copies the master anew. It never starts as a second master, and
# never takes the copy of another master away: a master whose volume was lost begins anew, empty.
set -euo pipefail
# shellcheck source=compose/postgres/common.sh
. "$(dirname "$0")/common.sh"

MASTER_HOST=${MASTER_HOST:-master}
MASTER_PORT=${MASTER_PORT:-5432}
CHECK_SECONDS=${CHECK_SECONDS:-10}
folder=$DATA/replica
address="host=$MASTER_HOST port=$MASTER_PORT user=workbench_replica passfile=$DATA/pgpass application_name=replica"
address+=" dbname=sales connect_timeout=5"
slot_lost="its slot on the master was lost, and with it WAL that it still needed"
other_master="it is a copy of another master"
child='' stop_signal=''

write_password() {
    local escaped=${MASTER_DB_REPLICATION_PASSWORD//\\/\\\\}
    (umask 077 && printf '*:*:*:workbench_replica:%s\n' "${escaped//:/\\:}" >"$DATA/pgpass")
}

ask_master() { # COMMAND of the replication protocol: prints its row
    timeout 100 psql -XAtq -d "$address replication=true" -c "$1"
}

wait_for_master() {
    local said='' now
    until now=$(ask_master IDENTIFY_SYSTEM 2>&1 >/dev/null); do
        [ "$now" = "$said" ] || say "Waiting for the master on $MASTER_HOST:$MASTER_PORT. $now"
        said=$now
        pause 2 || true
    done
}

control() { # NAME: what the folder's control file says
    LC_ALL=C pg_controldata -D "$folder" | sed -n "s/^$1: *//p"
}

is_of_this_master() { # ROW of IDENTIFY_SYSTEM
    [ "${1%%|*}" = "$(control 'Database system identifier')" ]
}

is_ahead_of() { # ROW of IDENTIFY_SYSTEM: true when the folder holds WAL that the master has not
    local system timeline ends
    IFS='|' read -r system timeline ends _ <<<"$1"
    [ "$(control "Latest checkpoint's TimeLineID")" -gt "$timeline" ] ||
        (($(bytes "$(control 'Minimum recovery ending location')") > $(bytes "$ends")))
}

bytes() { # LSN
    echo $(((16#${1%/*} << 32) + 16#${1#*/}))
}

was_only_standby() { # then it holds nothing that its master did not have
    control 'Database cluster state' | grep -Eq '^(in archive recovery|shut down in recovery)$'
}

reason_to_copy() { # prints why this folder cannot follow the master; nothing when it can, or when the master is away
    [ -d "$folder" ] || { echo "there is no complete copy of the master"; return; }
    [ -e "$folder/standby.signal" ] || { echo "it is no standby (it was promoted, or lost its standby.signal)"; return; }
    local system slot
    system=$(ask_master IDENTIFY_SYSTEM 2>/dev/null) || return 0
    slot=$(ask_master 'READ_REPLICATION_SLOT replica' 2>/dev/null) || return 0
    is_of_this_master "$system" || { echo "$other_master"; return; }
    if is_ahead_of "$system" && [ -e "$folder/standby.signal" ]; then # asked after: it may be promoted meanwhile
        echo "it is ahead of the master, which was put back from an older copy"
        return
    fi
    case $slot in
        physical\|[0-9A-F]*) ;;
        physical*) echo "$slot_lost" ;;
        *) echo "its slot on the master is missing" ;;
    esac
}

clear_folder() { # WHY
    [ -d "$folder" ] || return 0
    local now kept
    now=$(date -u +%Y%m%d-%H%M%S)
    if [ "$1" = "$slot_lost" ] && was_only_standby; then
        mv "$folder" "$DATA/old-replica-$now" # it goes once the new copy is complete
    else
        kept=$DATA/kept-replica-$now
        mv "$folder" "$kept"
        say "What was there may hold what no other server has: it is kept in $kept. Remove it when it is not needed."
    fi
}

refuse_other_master() { # it may be the last copy of the sales
    [ -d "$folder" ] || return 0
    local system
    system=$(ask_master IDENTIFY_SYSTEM) || return 0
    is_of_this_master "$system" || refuse "Nothing was copied, and nothing removed: $folder holds the sales of another" \
        "master (system $(control 'Database system identifier'), and the master that runs is ${system%%|*}). If the" \
        "master's volume was lost, this may be the last copy: docs/full-stack.md, 'The master's volume is lost', says how" \
        "it becomes the master, or how to go on without it."
}

copy_master() { # WHY
    say "Copying the master: $1"
    wait_for_master
    refuse_other_master
    # The old copy goes first: beside a new slot it would look sound, and stay behind for ever.
    clear_folder "$1"
    rm -rf "$DATA/new"
    case $(ask_master 'READ_REPLICATION_SLOT replica') in
        physical*) ask_master 'DROP_REPLICATION_SLOT replica WAIT' >/dev/null ;;
    esac
    run pg_basebackup -D "$DATA/new" -d "$address" -X stream -C -S replica --checkpoint=fast --no-manifest --no-password
    touch "$DATA/new/standby.signal"
    move_into_place "$DATA/new" "$folder"
    rm -rf "$DATA"/old*
    say "The copy is complete"
}

# Bash handles a signal once its foreground command ends: so whatever takes long runs beside it.
run() {
    "$@" &
    child=$! stop_signal=TERM
    wait "$child"
    child=
}

pause() { # SECONDS: returns early, with 1, when the server has ended
    local server=$child sleeper
    sleep "$1" &
    sleeper=$!
    wait -n ${server:+"$server"} "$sleeper" || true
    kill "$sleeper" 2>/dev/null || true
    wait "$sleeper" 2>/dev/null || true
    [ -z "$server" ] || kill -0 "$server" 2>/dev/null
}

stop() {
    if [ -n "$child" ]; then
        kill -s "$stop_signal" "$child" 2>/dev/null || true
        wait "$child" || true
        child=
    fi
}

start() {
    say "Starting the replica"
    postgres "${options[@]}" -c "primary_conninfo=$address" &
    child=$! stop_signal=INT # a fast shutdown
}

follow() { # returns when the master has to be copied anew
    local reason is_promoted=''
    while pause "$CHECK_SECONDS"; do
        if [ -e "$folder/standby.signal" ]; then
            reason=$(reason_to_copy)
            [ -z "$reason" ] || return 0
        elif [ -z "$is_promoted" ]; then
            is_promoted=1
            say "The replica was promoted: it takes writes until it stops. Started again it would copy the master."
        fi
    done
    refuse "The server has ended by itself"
}

become_postgres
need MASTER_DB_REPLICATION_PASSWORD
trap 'stop; exit 0' TERM INT
options_for replica "$folder"
write_password
forget_killed replica
while :; do
    reason=$(reason_to_copy)
    [ -z "$reason" ] || copy_master "$reason"
    start
    follow
    stop
done
