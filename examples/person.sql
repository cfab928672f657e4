-- person.sql - the class of the example person, empty, in a schema of its own.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS paos;
DROP SCHEMA IF EXISTS story CASCADE;
CREATE SCHEMA story;

CREATE TABLE story.person (name text, age int, loves paos.ref);
DO $$ BEGIN PERFORM paos.register_class('story.person'); END $$;
