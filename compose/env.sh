#!/bin/sh
# Writes the settings of the full stack to .env, with random passwords: what is set there already stays as it is.
set -eu
file=${1:-.env}
umask 077
[ -e "$file" ] || : >"$file"
chmod 600 "$file"
added=

put() { # NAME VALUE: unless the file gives NAME a value
    # shellcheck disable=SC2016 # the quotation marks are part of the text
    if ! grep -Eq "^(export +)?$1=['\"]?[^'\"]" "$file"; then
        [ -n "$added" ] || printf '\n# Added by `make env` for docker-compose.yml. Keep this file as long as the volumes: it has their passwords.\n' >>"$file"
        printf '%s=%s\n' "$1" "$2" >>"$file"
        added="$added $1"
    fi
}

random() { # BYTES: as hexadecimal digits
    od -An -v -N "$1" -t x1 /dev/urandom | tr -d ' \n'
}

zone() { # the IANA name of this machine's time zone, as workbench/config/clock.py finds it
    name=${TZ-}
    name=${name#:}
    [ -f "/usr/share/zoneinfo/$name" ] || name=$(readlink -f /etc/localtime 2>/dev/null | sed -n 's|.*/zoneinfo/||p')
    [ -n "$name" ] || name=$(cat /etc/timezone 2>/dev/null || :)
    printf '%s' "${name:-UTC}"
}

# Where the commands on this machine find the stack; the containers know each other by name.
put MASTER_DB_HOST 127.0.0.1
put REPLICA_DB_HOST 127.0.0.1
put RISINGWAVE_HOST 127.0.0.1
put RISINGWAVE_CDC_HOST master # the master as RisingWave reaches it
put RISINGWAVE_CDC_PORT 5432
for name in MASTER_DB_SUPERUSER_PASSWORD MASTER_DB_OWNER_PASSWORD MASTER_DB_PASSWORD REPLICA_DB_PASSWORD \
    RISINGWAVE_CDC_PASSWORD RISINGWAVE_PASSWORD RISINGWAVE_READER_PASSWORD MASTER_DB_REPLICATION_PASSWORD RISINGWAVE_META_PASSWORD MINIO_ROOT_PASSWORD \
    WORKBENCH_ADMIN_PASSWORD WORKBENCH_METRICS_TOKEN; do
    put "$name" "$(random 24)"
done
put WORKBENCH_TIMEZONE "$(zone)"
put RW_SECRET_STORE_PRIVATE_KEY_HEX "$(random 16)"

if [ -n "$added" ]; then
    echo "Wrote to $file:$added"
else
    echo "$file has everything that the stack needs."
fi
