import {addRowIds, tableOf} from '../postgresql/tables.ts'
import type {Migration} from '../postgresql/migrations.ts'
import type {Properties} from '../properties.ts'
import {EtagError, type SetRequest} from '../state-store.ts'

/** A row as the statement `select` gives it. */
export interface StateRow {
  readonly value: string | Buffer
  readonly isbinary: boolean
  readonly etag: string | null
  readonly expires: Date | null
}

/** How a version of `state.postgresql` keeps items. */
export interface StateTable {
  readonly metadataTable: string
  /** The row of the metadata table that has the level of the schema, and that with the time of the last cleanup. */
  readonly keys: {readonly level: string; readonly cleanup: string}
  readonly migrations: readonly Migration[]
  /** $1: the key. */
  readonly select: string
  /** $1: the key, $2: seconds to live (0: for ever), then the values. */
  readonly upsert: string
  /** The same, only if there is none, or it has expired. */
  readonly insert: string
  /** The same with the etag at last, only if that is right. */
  readonly update: string
  /** $1: the key. */
  readonly remove: string
  /** $1: the key, $2: the etag. */
  readonly removeSame: string
  readonly removeExpired: string
  readonly valuesOf: (request: SetRequest) => readonly (string | boolean | Buffer)[]
  readonly dataOf: (row: StateRow) => Buffer
  /** Throws an EtagError for what cannot be one. */
  readonly checkEtag: (etag: string) => void
}

const metadataOf = (properties: Properties): string =>
  tableOf(properties, 'metadataTableName', properties.text('metadataTableName') || 'dapr_metadata')

const EXPIRY = "CASE WHEN $2::bigint > 0 THEN now() + $2::bigint * interval '1 second' END"
const MAX_XID = 2 ** 32 - 1

/** Version 1: values as JSON, bytes as base64 in it; the etag is PostgreSQL's own mark of a row (components-contrib: state/postgresql/v1). */
export function firstTable(properties: Properties): StateTable {
  const table = tableOf(properties, 'tableName', properties.text('tableName') || 'state')
  const upsert = `INSERT INTO ${table} AS t (key, expiredate, value, isbinary) VALUES ($1, ${EXPIRY}, $3::jsonb, $4)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, isbinary = excluded.isbinary, updatedate = now(), expiredate = excluded.expiredate`
  return {
    metadataTable: metadataOf(properties),
    keys: {level: 'migrations', cleanup: 'last-cleanup'},
    migrations: [
      async client =>
        client.query(`CREATE TABLE IF NOT EXISTS ${table} (key text NOT NULL PRIMARY KEY, value jsonb NOT NULL, isbinary boolean NOT NULL,
          insertdate timestamp with time zone NOT NULL DEFAULT now(), updatedate timestamp with time zone NULL)`),
      async client => client.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS expiredate timestamp with time zone`),
      addRowIds(table, 'insertdate')
    ],
    select: `SELECT value::text AS value, isbinary, xmin::text AS etag, expiredate AS expires FROM ${table}
      WHERE key = $1 AND (expiredate IS NULL OR expiredate >= now())`,
    upsert,
    insert: `${upsert} WHERE t.expiredate < now()`,
    update: `UPDATE ${table} SET value = $3::jsonb, isbinary = $4, updatedate = now(), expiredate = ${EXPIRY}
      WHERE key = $1 AND xmin = $5::xid AND (expiredate IS NULL OR expiredate > now())`,
    remove: `DELETE FROM ${table} WHERE key = $1`,
    removeSame: `DELETE FROM ${table} WHERE key = $1 AND xmin = $2::xid`,
    removeExpired: `DELETE FROM ${table} WHERE expiredate < now()`,
    valuesOf: ({value, isJson}) => [isJson ? value.toString() : JSON.stringify(value.toString('base64')), !isJson],
    dataOf: ({value, isbinary}) =>
      isbinary ? Buffer.from(JSON.parse(String(value)) as string, 'base64') : Buffer.from(value),
    checkEtag: etag => {
      const why = !/^\d+$/.test(etag) ? 'invalid syntax' : Number(etag) > MAX_XID ? 'value out of range' : ''
      if (why !== '') throw new EtagError('invalid', `strconv.ParseUint: parsing ${JSON.stringify(etag)}: ${why}`)
    }
  }
}

/** Version 2: values as they are, etags are UUIDs (components-contrib: state/postgresql/v2). */
export function secondTable(properties: Properties): StateTable {
  const prefix = properties.text('tablePrefix')
  const table = tableOf(properties, 'tablePrefix', `${prefix}state`)
  const upsert = `INSERT INTO ${table} AS t (key, expires_at, value, etag) VALUES ($1, ${EXPIRY}, $3, gen_random_uuid())
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now(), etag = excluded.etag, expires_at = excluded.expires_at`
  return {
    metadataTable: metadataOf(properties),
    keys: {level: `migrations-state-v2-${prefix}`, cleanup: `last-cleanup-state-v2-${prefix}`},
    migrations: [
      async client =>
        client.query(`CREATE TABLE IF NOT EXISTS ${table} (key text NOT NULL PRIMARY KEY, value bytea NOT NULL,
          etag uuid NOT NULL DEFAULT gen_random_uuid(), created_at timestamp with time zone NOT NULL DEFAULT now(),
          updated_at timestamp with time zone, expires_at timestamp with time zone);
          CREATE INDEX ON ${table} (expires_at)`),
      addRowIds(table, 'created_at')
    ],
    select: `SELECT value, false AS isbinary, etag::text AS etag, expires_at AS expires FROM ${table}
      WHERE key = $1 AND (expires_at IS NULL OR expires_at >= now())`,
    upsert,
    insert: `${upsert} WHERE t.expires_at < now()`,
    update: `UPDATE ${table} SET value = $3, updated_at = now(), etag = gen_random_uuid(), expires_at = ${EXPIRY}
      WHERE key = $1 AND etag = $4::uuid AND (expires_at IS NULL OR expires_at >= now())`,
    remove: `DELETE FROM ${table} WHERE key = $1`,
    removeSame: `DELETE FROM ${table} WHERE key = $1 AND etag = $2::uuid`,
    removeExpired: `DELETE FROM ${table} WHERE expires_at < now()`,
    valuesOf: ({value}) => [value],
    dataOf: ({value}) => (Buffer.isBuffer(value) ? value : Buffer.from(value)),
    checkEtag: etag => {
      if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(etag)) return
      const why = etag.length === 36 ? 'invalid UUID format' : `invalid UUID length: ${etag.length}`
      throw new EtagError('mismatch', why)
    }
  }
}
