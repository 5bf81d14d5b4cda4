#!/usr/bin/env bash
# Starts the PostgreSQL that holds RisingWave's metadata: one user, and the database that every server has.
set -euo pipefail
# shellcheck source=compose/postgres/common.sh
. "$(dirname "$0")/common.sh"

become_postgres
trap 'exit 1' TERM INT
need RISINGWAVE_META_PASSWORD
options=(
    -D "$DATA/metadata"
    -c "hba_file=$here/metadata_hba.conf"
    -c "unix_socket_directories=$SOCKETS"
    -c "port=${PORT:-5432}"
    -c listen_addresses='*'
    -c shared_buffers=64MB
    -c log_min_error_statement=panic
)
make_folder metadata risingwave "$RISINGWAVE_META_PASSWORD"
forget_killed metadata
set_superuser_password risingwave "$RISINGWAVE_META_PASSWORD"
exec postgres "${options[@]}"
