#!/bin/bash
# `paos get`: answers as a table and as JSON, arguments, errors, hostile strings.
. "${0%/*}/cli.sh"

sql "CREATE TABLE city (name text);
    CREATE TABLE person (name text, age int, loves paos.ref, city bigint);
    CREATE TABLE plain (id int PRIMARY KEY);
    CREATE TABLE \"odd Name\" (\"Key\" int PRIMARY KEY, \"from\" text);
    CREATE TABLE kind (id int PRIMARY KEY, flag bool, big int8, real8 float8, price numeric, data bytea,
        doc jsonb, at timestamp, day date, tags text[], refs paos.ref[], days date[], which uuid);"
sql "SELECT paos.register_class('city', 7), paos.register_class('person', 8),
    paos.register_class('\"odd Name\"', 9), paos.register_class('kind', 10)" >/dev/null
sql "ALTER TABLE person ADD FOREIGN KEY (city) REFERENCES city;
    CREATE TABLE student (school text) INHERITS (person)"
sql "SELECT paos.register_class('student', 11)" >/dev/null
sql "INSERT INTO city VALUES ('Rome');
    INSERT INTO person VALUES ('Sue', 27, '8:2', 1), ('Bill', 33, '8:1', NULL);
    INSERT INTO student (name, age, school) VALUES ('Ann', -7, 'ETH');
    INSERT INTO \"odd Name\" VALUES (1, E'red \\x1b[31m\\n\\t\\u009b né 漢字');
    INSERT INTO kind VALUES (1, true, 9007199254740993, 0.1, 1.50, '\\x00ff', '{\"a\": [1, 0.3, \"x\"]}',
        '2020-02-29 01:02:03.5', 'infinity', '{a,NULL,\"b\\\"\"}', '{8:1,8:2}', '{2020-01-01}',
        '00000000-0000-0000-0000-000000000001');
    INSERT INTO kind (id, real8, big) VALUES (2, 'NaN', -9223372036854775808);"

shows "all objects, those of subclasses too" \
" ref  | id | name | age | loves | city
------+----+------+-----+-------+------
 8:1  |  1 | Sue  |  27 | 8:2   |    1
 8:2  |  2 | Bill |  33 | 8:1   |
 11:3 |  3 | Ann  |  -7 |       |
(3 objects)" get person
shows "a query" \
" ref | id | name | age | loves | city
-----+----+------+-----+-------+------
 8:2 |  2 | Bill |  33 | 8:1   |
(1 object)" get person 'loves.name == "Sue"'
shows "no object" \
" ref | id | name | age | loves | city
-----+----+------+-----+-------+------
(0 objects)" get person 'name == "x"'
shows "arguments" \
" ref  | id | name | age | loves | city
------+----+------+-----+-------+------
 8:1  |  1 | Sue  |  27 | 8:2   |    1
 11:3 |  3 | Ann  |  -7 |       |
(2 objects)" get person 'name in ($1, $2)' Sue Ann
shows "an argument that begins with a minus sign" \
" ref  | id | name | age | loves | city | school
------+----+------+-----+-------+------+--------
 11:3 |  3 | Ann  |  -7 |       |      | ETH
(1 object)" get student 'age == $1' -- -7
shows "a value cannot command the terminal" \
' ref | Key | from
-----+-----+----------------------------------
 9:1 |   1 | red \x1B[31m\n\t\xC2\x9B né 漢字
(1 object)' get '"odd Name"'

shows "JSON" \
'{"ref":"8:1","class":"public.person","values":{"id":1,"name":"Sue","age":27,"loves":"8:2","city":"7:1"}}
{"ref":"11:3","class":"public.student","values":{"id":3,"name":"Ann","age":-7,"loves":null,"city":null}}' \
    get person 'name in ($1, "Ann")' Sue --json
shows "JSON of every kind" \
'{"ref":"10:1","class":"public.kind","values":{"id":1,"flag":true,"big":9007199254740993,"real8":0.1,"price":"1.50","data":"\\x00ff","doc":{"a":[1,0.3,"x"]},"at":"2020-02-29 01:02:03.5","day":"infinity","tags":["a",null,"b\""],"refs":["8:1","8:2"],"days":"{2020-01-01}","which":"00000000-0000-0000-0000-000000000001"}}
{"ref":"10:2","class":"public.kind","values":{"id":2,"flag":null,"big":-9223372036854775808,"real8":"NaN","price":null,"data":null,"doc":null,"at":null,"day":null,"tags":null,"refs":null,"days":null,"which":null}}' \
    get kind --json
is_json "hostile values are JSON" 1 get '"odd Name"' --json
shows "no object is no line" "" get person 'name == "x"' --json

fails "no such class" 1 'paos: class "preson" does not exist
HINT:  Perhaps you meant person.' get preson
fails "nothing like it" 1 "paos: class \"galaxies\" does not exist
HINT:  'paos classes' lists the classes." get galaxies
fails "case is folded, so a name in quotes is suggested" 1 'paos: class "oddname" does not exist
HINT:  Perhaps you meant "odd Name".' get oddname
fails "a table that is no class" 1 "paos: table plain is not a class
HINT:  SELECT paos.register_class('plain') makes it one." get plain
fails "no such attribute" 1 'paos: attribute "agge" does not exist
    name == '\''x'\'' and agge > 3
                    ^
HINT:  Perhaps you meant "age".' get person 'name==$1   and agge>3' x
fails "a syntax error" 1 'paos: syntax error at or near ">"
    name == "né" and age > > 3
                           ^' get person 'name == "né" and age > > 3'
fails "a value of another type" 1 'paos: invalid input syntax for type integer: "old"
    age > '\''old'\''
          ^' get person 'age > $1' old
fails "a missing argument" 1 'paos: parameter $1 has no value
    age > $1
          ^
HINT:  Values of $1, $2, ... follow the query.' get person 'age > $1'
fails "an argument too many" 1 "paos: too many parameter values: 2, where 1 are expected" \
    get person 'age > $1' 1 2

sql "CREATE ROLE cli_nobody LOGIN"
fails "no privilege" 1 "paos: permission denied for table person" -U cli_nobody get person 'age > 3'
fails "a class name cannot carry SQL" 1 "paos: invalid name syntax
HINT:  'paos classes' lists the classes." get "person'; DROP TABLE person; --"
fails "nor can a quoted one" 1 'paos: class ""x""); DROP TABLE person; --"" does not exist
HINT:  '"'paos classes' lists the classes." get '"x""); DROP TABLE person; --"'
fails "a query cannot carry SQL" 1 'paos: syntax error at or near ";"
    name == '\''x'\''; DROP TABLE person; --
               ^' get person "name == 'x'; DROP TABLE person; --"
shows "an argument cannot end its quotes" \
" ref | id | name | age | loves | city
-----+----+------+-----+-------+------
(0 objects)" get person 'name == $1' "' or true or name == '"
try get person "$(printf 'name == "\377"')"
[ "$status" = 1 ] && [ -z "$out" ] && [ "$err" = "paos: query is not valid UTF-8" ]
report "a query that is not UTF-8" $?
same "nothing was dropped" 3 "$(sql 'SELECT count(*) FROM person')"
sql "SET client_min_messages = error; DROP TABLE person, city, plain, \"odd Name\", kind CASCADE; DROP ROLE cli_nobody"
plan
