#!/usr/bin/env bash
# Succeeds when the SQL server on 127.0.0.1:PORT answers a query, in PostgreSQL's protocol: the image has bash, but no
# psql. A server that asks for a password answers too; the password itself is nobody's here.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
# The length (32) and version 3.0, the user and the database; then a query (length 13), then the end (length 4).
printf '\0\0\0\040\0\003\0\0user\0root\0database\0dev\0\0' >&3
printf 'Q\0\0\0\015select 1\0X\0\0\0\004' >&3
answer=$(timeout 4 cat <&3 | tr '\0' '.')
case $answer in
    *"SELECT 1"*) ;; # the tag that follows the row
    R...?...[!.]*) ;; # a request for a password: the kind, after the length, is not 0
    *) echo "no answer to a query on port $1" >&2; exit 1 ;;
esac
