#!/bin/bash
# ALTER EXTENSION paos UPDATE: from each released version to what a fresh install
# is, object by object; and a library that does not go with the installed SQL.
. test/fault/tap.sh

# All that the extension is made of, as pg_dump writes it for pg_upgrade: members
# with their comments and privileges, in an order that does not depend on OIDs.
# What is left out is OIDs and the text that tells where they come from.
members()
{
    pg_dump --binary-upgrade --schema-only "$1" |
        sed -E '/binary_upgrade_(set_next|create_empty)|^-- For binary upgrade, must preserve/d
            /^SET (relfrozenxid|default_)|^WHERE oid = |^.(un)?restrict |^$/d' |
        awk 'BEGIN { RS = "--\n-- Name: " } { gsub("\n", "\001"); print }' |
        grep -v 'Schema: live' | LC_ALL=C sort | tr '\001' '\n'
    sql "$1" "SELECT c.oid::regclass, c.condition FROM pg_extension e,
        unnest(e.extconfig, e.extcondition) c (oid, condition) WHERE e.extname = 'paos' ORDER BY 1::text"
    sql "$1" "SELECT extversion FROM pg_extension WHERE extname = 'paos'"
}

# What a query of a class says, error included
try()
{
    psql -XAt -d "$1" -c "$2" 2>&1
}

set_version()
{
    sql "$1" "UPDATE pg_extension SET extversion = '$2' WHERE extname = 'paos'"
}

createdb update_fresh && sql update_fresh "CREATE EXTENSION paos" || exit
current=$(sql update_fresh "SELECT extversion FROM pg_extension WHERE extname = 'paos'")
fresh=$(members update_fresh)
like "the description has the members" 'CREATE FUNCTION paos.subscribe' "$fresh"
ok "released scripts are as they were released" "$(cd sql/released && ls paos--*.sql)" \
    "$(cd sql/released && sha256sum --check --strict SHA256SUMS | sed -n 's/: OK$//p')"

for script in sql/released/paos--*.sql
do
    old=${script#*--}
    old=${old%.sql}
    createdb update_old
    sql update_old "CREATE EXTENSION paos VERSION '$old'; CREATE SCHEMA live;
        CREATE TABLE live.person (id int PRIMARY KEY, name text, loves paos.ref);
        INSERT INTO live.person VALUES (1, 'Sue', '7:1'); CREATE TABLE live.kid () INHERITS (live.person)"
    # Registered as the library of that version would have done it.
    sql update_old "CREATE SEQUENCE live.person_seq OWNED BY live.person.id;
        INSERT INTO paos.class VALUES (7, 'live.person', 'live.person_seq', '{sequence}');
        CREATE TRIGGER paos_row AFTER INSERT OR UPDATE OR DELETE ON live.person
            FOR EACH ROW EXECUTE FUNCTION paos.row_written();
        CREATE TRIGGER paos_truncate BEFORE TRUNCATE ON live.person
            FOR EACH STATEMENT EXECUTE FUNCTION paos.table_truncated()"
    like "$old: the new library refuses to write" \
        "version $old, but its library is of version $current.*ALTER EXTENSION paos UPDATE" \
        "$(try update_old "UPDATE live.person SET name = 'Ann'" | tr '\n' ' ')"
    like "$old: and to subscribe" "version $old, but" \
        "$(try update_old "SELECT paos.subscribe('live.person', 'id > 0')")"
    ok "$old: other tables are nobody's business" 1 \
        "$(try update_old "CREATE TABLE live.plain AS SELECT 1 AS one; TABLE live.plain" | tail -n 1)"
    sql update_old "DROP TABLE live.plain"

    # A session that has seen the old version goes on with the new one.
    ok "$old: updated under a session" "1" "$(psql -XAtq -d update_old 2>&1 <<SQL
SELECT count(*) FROM paos.classes WHERE false \gset
\! psql -Xq -d update_old -c 'ALTER EXTENSION paos UPDATE'
SELECT count(*) FROM paos.classes;
SQL
)"
    ok "$old: rows and refs are as they were" "7:1|Sue|Sue" "$(sql update_old \
        "SELECT paos.ref(p), name, loves OPERATOR(paos.->>) 'name' FROM live.person p")"
    ok "$old: triggers fire for replication, and on tables below" "paos_row A 2
paos_truncate A 2" "$(sql update_old "SELECT format('%s %s %s', tgname, tgenabled, count(*)) FROM pg_trigger
        WHERE tgrelid IN ('live.person'::regclass, 'live.kid'::regclass) GROUP BY tgname, tgenabled ORDER BY tgname")"
    like "$old: requests work" '^[0-9]+$' "$(try update_old "SELECT paos.subscribe('live.person', 'id > 0')")"
    sql update_old "DROP SCHEMA live CASCADE" 2>/dev/null
    ok "$old: updated is as installed anew" "$fresh" "$(members update_old)"
    dropdb update_old
done

# A session keeps the library it has loaded when a newer package updates the SQL.
sql update_fresh "CREATE TABLE person (id int PRIMARY KEY); SELECT paos.register_class('person')" >/dev/null
set_version update_fresh 10.0
like "an older library refuses newer SQL" \
    "version 10.0, but its library is of version $current.*Install the library of version 10.0" \
    "$(try update_fresh "INSERT INTO person VALUES (1)" | tr '\n' ' ')"
set_version update_fresh "$current"
ok "and takes its own" 1 "$(sql update_fresh "INSERT INTO person VALUES (1); SELECT count(*) FROM person")"
dropdb update_fresh
done_testing
