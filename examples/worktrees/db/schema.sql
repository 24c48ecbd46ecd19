-- Runs at each start.
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, copy text NOT NULL);
CREATE TABLE IF NOT EXISTS mails (id text NOT NULL, copy text NOT NULL);
