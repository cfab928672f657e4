-- paos.bind: values for parameters
SELECT paos.bind('a = $1', true), paos.bind('a = $1', 5::int2), paos.bind('a = $1', -5),
       paos.bind('a = $1', 9223372036854775807), paos.bind('a = $1', 1.50);
SELECT paos.bind('a in ($1, $2, $3, $4, $5)', 0.1::float8, 1e300::float8, 'NaN'::float8,
                 '-Infinity'::float8, '-0'::float8);
SELECT paos.bind('a in ($1, $2, $3)', 0.1::float4, 'NaN'::numeric, '-Infinity'::numeric);
SELECT paos.bind('a in ($1, $2, $3, $4, $5, $6)', 'it''s "it"'::text, 'x'::varchar, 'y'::char(3),
                 'z'::name, 'unknown', '\x00ff'::bytea);
SELECT paos.bind('a in ($1, $2)', '12:42'::paos.ref, NULL::text);
SELECT paos.bind('not (a.b contains ($2, $1) or a like $3) and $1 is null', 1, 2, 'x%');
SELECT paos.bind('a in ($1, $2)', VARIADIC ARRAY['x', 'y']);
SELECT paos.bind('a in ($1, $2)', VARIADIC ARRAY[1, NULL]);
SELECT paos.bind(NULL, 5) IS NULL AS no_query;
-- a value stays a value
SELECT paos.bind('a = $1', ''' or true or a = ''');
-- floats keep every bit, whatever the session shows of them
SET extra_float_digits = -5;
SELECT paos.bind('a = $1', 0.1::float8 + 0.2::float8);
RESET extra_float_digits;
-- errors
SELECT paos.bind('a = $2', 1);
SELECT paos.bind('a = $1', 1, 2);
SELECT paos.bind('a = 1', 1);
SELECT paos.bind('a = $1', VARIADIC NULL::int[]);
SELECT paos.bind('a = $1', '2020-01-01'::date);
SELECT paos.bind('a = $1', ARRAY[1]);
SELECT paos.bind('a = ', 1);
