# cluster.sh - more servers than the one a program of test/fault runs in; sourced
# after tap.sh. They live beside that one's data and use its socket directory.

bindir=$(pg_config --bindir)
primary=$(sql postgres "SHOW data_directory")
servers=()

# The server's user may be another than we are, and must not be in our directory.
as_owner()
{
    if [ "$(id -u)" = 0 ]
    then
        (cd / && exec runuser -u "$PGUSER" -- "$@")
    else
        (cd / && exec "$@")
    fi
}

stop_servers()
{
    local data
    for data in ${servers[@]+"${servers[@]}"}
    do
        as_owner "$bindir/pg_ctl" stop -s -m immediate -D "$data" 2>/dev/null
    done
    rm -rf "$work"
}
trap stop_servers EXIT

# new_directory NAME - one that belongs to the server's user; sets $directory
new_directory()
{
    directory=${primary%/*}/$1
    mkdir -m 700 "$directory"
    chown "$PGUSER" "$directory"
}

# control ACTION DATA - waits until it is done
control()
{
    as_owner "$bindir/pg_ctl" "$1" -s -w -t 60 -D "$2" -l "$2/log" >/dev/null
}

# set_and_restart NAME=VALUE... - of the server that the program runs in
set_and_restart()
{
    local setting
    for setting
    do
        sql postgres "ALTER SYSTEM SET ${setting%%=*} = '${setting#*=}'"
    done
    control restart "$primary"
}

# new_standby NAME PORT - a copy that follows the primary; sets $standby
new_standby()
{
    grep -q replication "$primary/pg_hba.conf" ||
        echo "local replication all trust" >>"$primary/pg_hba.conf"
    sql postgres "SELECT pg_reload_conf()" >/dev/null
    new_directory "$1"
    standby=$directory
    as_owner env PGHOST="$PGHOST" PGPORT="$PGPORT" "$bindir/pg_basebackup" -D "$standby" -R -c fast -X stream
    echo "port = $2" >>"$standby/paos.conf"
    servers+=("$standby")
    control start "$standby"
}
