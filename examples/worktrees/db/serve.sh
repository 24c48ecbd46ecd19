#!/bin/sh
# PostgreSQL at $APP_PORT, with its data in this folder. It refuses to be root: then it is the user nobody.
set -e
as=
if [ "$(id -u)" = 0 ]; then
  chown -R 65534 .
  as='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi
# a first start that is killed leaves no half of a database: it begins again
if [ ! -d data ]; then
  rm -rf new
  $as initdb -D new -U postgres -A trust -E UTF8 --no-sync >/dev/null
  mv new data
fi
exec $as postgres -D data -h 127.0.0.1 -p "$APP_PORT" -k ''
