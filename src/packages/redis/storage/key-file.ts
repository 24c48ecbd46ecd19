import type {DatabaseSync} from 'node:sqlite'
import {openOwn} from '../../../platform/database-file.ts'

/**
 * Tables. Keys and values are bytes. A stream is identified by its serial number, so that renaming its key moves nothing; each entry,
 * group and pending entry has a row.
 */
const TABLES = `
  CREATE TABLE keys (db INTEGER, key BLOB, type TEXT, expires INTEGER, value BLOB, PRIMARY KEY (db, key));
  CREATE TABLE entries (stream INTEGER, ms INTEGER, seq INTEGER, fields BLOB, PRIMARY KEY (stream, ms, seq)) WITHOUT ROWID;
  CREATE TABLE groups (stream INTEGER, name BLOB, state BLOB, PRIMARY KEY (stream, name)) WITHOUT ROWID;
  CREATE TABLE pending (
    stream INTEGER, name BLOB, ms INTEGER, seq INTEGER, consumer BLOB, deliveredAt INTEGER, deliveries INTEGER,
    PRIMARY KEY (stream, name, ms, seq)
  ) WITHOUT ROWID;
`

/** Tables by row number: each batch of new keys would rewrite an index by name. */
const NUMBERED = `
  ALTER TABLE keys RENAME TO before;
  CREATE TABLE keys (id INTEGER PRIMARY KEY, db INTEGER, key BLOB, type TEXT, expires INTEGER, value BLOB);
  INSERT INTO keys SELECT rowid, * FROM before ORDER BY rowid;
  DROP TABLE before;
`

/** Opens the file of keys, which is marked ("Pill"), as `openOwn` does. */
export const openKeyFile = (path: string): DatabaseSync => openOwn(path, 0x50696c6c, [TABLES, NUMBERED])
