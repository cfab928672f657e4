#!/bin/bash
# `paos classes`: all classes, and the attributes of one.
. "${0%/*}/cli.sh"

shows "no class yet" " number | class | key | parent | attributes
--------+-------+-----+--------+------------
No table is a class yet: SELECT paos.register_class('...') makes one." classes
shows "no class is no line" "" classes --json
fails "no class to suggest" 1 "paos: class \"person\" does not exist
HINT:  No table is a class yet: SELECT paos.register_class('...') makes one." classes person

sql "CREATE TABLE city (name text); CREATE SCHEMA far;
    CREATE TABLE far.person (name text NOT NULL, loves paos.ref, friends paos.ref[])"
sql "SELECT paos.register_class('city', 7), paos.register_class('far.person', 8)" >/dev/null
sql "ALTER TABLE far.person ADD city bigint REFERENCES city;
    CREATE TABLE student (school text) INHERITS (far.person)"
sql "SELECT paos.register_class('student', 9)" >/dev/null

shows "all classes" \
" number | class      | key | parent     | attributes
--------+------------+-----+------------+----------------------------------------
      7 | city       | id  |            | name, id
      8 | far.person | id  |            | name, loves, friends, id, city
      9 | student    | id  | far.person | name, loves, friends, id, city, school" classes
shows "attributes of a class" \
" attribute | type       | not_null | refers_to
-----------+------------+----------+-----------
 name      | text       | t        |
 loves     | paos.ref   | f        | any class
 friends   | paos.ref[] | f        | any class
 id        | bigint     | t        |
 city      | bigint     | f        | city" classes far.person
is_json "all as JSON" 3 classes --json
shows "attributes as JSON" \
'{"attribute":"name","type":"text","not_null":false,"refers_to":null}
{"attribute":"id","type":"bigint","not_null":true,"refers_to":null}' classes city --json
fails "a name without its schema" 1 'paos: class "person" does not exist
HINT:  Perhaps you meant far.person.' classes person
sql "SET client_min_messages = error; DROP TABLE city CASCADE; DROP SCHEMA far CASCADE"
plan
