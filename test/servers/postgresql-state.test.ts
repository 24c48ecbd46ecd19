import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {open} from '../../src/dapr/components/state/postgresql.ts'
import type {SetRequest, StateStore} from '../../src/dapr/components/state-store.ts'
import {openComponent} from '../rig/open-component.ts'
import {realPostgres, skipWithoutPostgres, type RealPostgres} from '../rig/postgres.ts'

const skip = skipWithoutPostgres
let server: RealPostgres | undefined
const postgres = async (): Promise<RealPostgres> => (server ??= await realPostgres(t))

const store = async (t: Test, version: string, metadata: Readonly<Record<string, string>>): Promise<StateStore> =>
  openComponent(t, open, metadata, {version})

const item = (key: string, text: string, more: Partial<SetRequest> = {}): SetRequest => ({
  key,
  value: Buffer.from(text),
  isJson: true,
  etag: '',
  metadata: {},
  options: {concurrency: '', consistency: ''},
  ...more
})

const textOf = async (state: StateStore, key: string): Promise<string | undefined> =>
  (await state.get(key, {consistency: '', metadata: {}}))?.data.toString()

const COLUMNS = (table: string): string =>
  `SELECT column_name, data_type, is_nullable, column_default, identity_generation FROM information_schema.columns
    WHERE table_name = '${table}' ORDER BY ordinal_position`
const INDEXES = (table: string): string => `SELECT indexdef FROM pg_indexes WHERE tablename = '${table}' ORDER BY 1`

t.test('the tables are those of Dapr', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  const first = await store(t, 'v1', {connectionString})
  await store(t, 'v2', {connectionString, tablePrefix: 'new_'})
  t.equal(
    query(connectionString, COLUMNS('state')),
    `key|text|NO||
value|jsonb|NO||
isbinary|boolean|NO||
insertdate|timestamp with time zone|NO|now()|
updatedate|timestamp with time zone|YES||
expiredate|timestamp with time zone|YES||
row_id|bigint|NO||BY DEFAULT`
  )
  t.equal(
    query(connectionString, COLUMNS('new_state')),
    `key|text|NO||
value|bytea|NO||
etag|uuid|NO|gen_random_uuid()|
created_at|timestamp with time zone|NO|now()|
updated_at|timestamp with time zone|YES||
expires_at|timestamp with time zone|YES||
row_id|bigint|NO||BY DEFAULT`
  )
  t.equal(
    query(connectionString, INDEXES('new_state')),
    `CREATE INDEX new_state_expires_at_idx ON public.new_state USING btree (expires_at)
CREATE UNIQUE INDEX new_state_pkey ON public.new_state USING btree (key)
CREATE UNIQUE INDEX new_state_row_id_uidx ON public.new_state USING btree (row_id)`
  )
  t.equal(
    query(connectionString, 'SELECT key, value FROM dapr_metadata ORDER BY key'),
    'lock|lock\nmigrations|3\nmigrations-state-v2-new_|2'
  )
  await first.set(item('json', '{"a":1}'))
  await first.set(item('bytes', '\0\x01', {isJson: false}))
  t.equal(
    query(connectionString, 'SELECT key, value, isbinary, row_id FROM state ORDER BY row_id'),
    'json|{"a": 1}|f|1\nbytes|"AAE="|t|2'
  )
  t.equal(await textOf(first, 'bytes'), '\0\x01')
})

t.test('a table of an older Dapr is brought up to date, with its rows', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  query(
    connectionString,
    `CREATE SCHEMA mine;
    CREATE TABLE mine.info (key text NOT NULL PRIMARY KEY, value text NOT NULL);
    INSERT INTO mine.info VALUES ('migrations', '2');
    CREATE TABLE mine.items (key text NOT NULL PRIMARY KEY, value jsonb NOT NULL, isbinary boolean NOT NULL,
      insertdate timestamptz NOT NULL DEFAULT now(), updatedate timestamptz, expiredate timestamptz);
    INSERT INTO mine.items VALUES ('b', '2', false, '2024-01-02'), ('a', '"aGk="', true, '2024-01-01')`
  )
  const names = {tableName: 'mine.items', metadataTableName: 'mine.info'}
  const state = await store(t, 'v1', {connectionString, ...names})
  t.equal(await textOf(state, 'a'), 'hi')
  await state.set(item('c', '3'))
  t.equal(query(connectionString, 'SELECT key, row_id FROM mine.items ORDER BY row_id'), 'a|1\nb|2\nc|3')
  t.equal(query(connectionString, "SELECT value FROM mine.info WHERE key = 'migrations'"), '3')
  query(connectionString, "UPDATE mine.info SET value = '9' WHERE key = 'migrations'")
  t.equal(await textOf(await store(t, 'v1', {connectionString, ...names}), 'c'), '3', 'a newer schema is left alone')
})

t.test('several that start at once make the tables once', {skip}, async t => {
  const connectionString = (await postgres()).database()
  const stores = await Promise.all(
    Array.from({length: 6}, async (_, at) =>
      store(t, at % 2 === 0 ? 'v1' : 'v2', {connectionString, tablePrefix: 'p_'})
    )
  )
  await Promise.all(stores.map(async (state, at) => state.set(item(at.toString(), '1'))))
  for (const [at, state] of stores.entries()) t.equal(await textOf(state, (at % 2).toString()), '1')
})

t.test('writers of one key: each etag is good for one', {skip}, async t => {
  const connectionString = (await postgres()).database()
  for (const version of ['v1', 'v2']) {
    const state = await store(t, version, {connectionString, tablePrefix: 'p_'})
    await state.set(item('n', '0'))
    const add = async (): Promise<void> => {
      for (;;) {
        const {data, etag} = (await state.get('n', {consistency: '', metadata: {}})) ?? {data: '', etag: ''}
        try {
          await state.set(item('n', (Number(data) + 1).toString(), {etag}))
          return
        } catch (error) {
          if (!String(error).includes('possible etag mismatch')) throw error
        }
      }
    }
    await Promise.all(Array.from({length: 20}, add))
    t.equal(await textOf(state, 'n'), '20', version)
  }
})

t.test('what has expired is removed', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  for (const version of ['v1', 'v2']) {
    const state = await store(t, version, {connectionString, tablePrefix: 'p_', cleanupInterval: '150ms'})
    await state.set(item('short', '1', {metadata: {ttlInSeconds: '1'}}))
    await state.set(item('kept', '1', {metadata: {ttlInSeconds: '1000'}}))
    const keys = (): string => query(connectionString, `SELECT key FROM ${version === 'v1' ? 'state' : 'p_state'}`)
    while (keys() !== 'kept') await pause(10)
    t.match(query(connectionString, "SELECT key FROM dapr_metadata WHERE key LIKE 'last-cleanup%'"), /last-cleanup/)
  }
})

t.test('an expired item can be written first', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  const state = await store(t, 'v2', {connectionString, cleanupInterval: '0'})
  const first = item('k', '1', {options: {concurrency: 'first-write', consistency: ''}})
  await state.set(first)
  await t.rejects(state.set(first), {message: 'no item was updated'})
  query(connectionString, "UPDATE state SET expires_at = now() - interval '1 hour'")
  t.equal(await textOf(state, 'k'), undefined)
  await state.set(first)
  t.equal(await textOf(state, 'k'), '1')
})

t.test('a server that goes away and comes back', {skip}, async t => {
  const own = await realPostgres(t)
  const state = await store(t, 'v2', {connectionString: own.database()})
  await state.set(item('k', '1'))
  await own.stop()
  await t.rejects(state.set(item('k', '2')), /ECONNREFUSED|terminat/)
  await own.start()
  t.equal(await textOf(state, 'k'), '1')
})

t.test('connections over TLS', {skip}, async t => {
  const fixtures = join(import.meta.dirname, '../fixtures/tls')
  const {database, query} = await realPostgres(t, {tls: true})
  const connectionString = database()
  const own = `sslrootcert=${fixtures}/ca.pem`
  for (const [words, isEncrypted] of [
    ['', 't'],
    ['sslmode=disable', 'f'],
    ['sslmode=require', 't'],
    [`sslmode=verify-ca ${own}`, 't'],
    [`sslmode=verify-full ${own}`, 't']
  ] as const) {
    const application = words.replace(/ .*|\W/g, '') || 'prefer'
    await store(t, 'v2', {connectionString: `${connectionString} application_name=${application} ${words}`})
    t.equal(
      query(
        connectionString,
        `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = '${application}'`
      ),
      isEncrypted,
      words
    )
  }
  for (const words of ['sslmode=verify-full', `sslmode=verify-ca sslrootcert=${fixtures}/client.pem`])
    await t.rejects(store(t, 'v2', {connectionString: `${connectionString} ${words}`}), {
      message: /^failed to ping the database at .*certificate/
    })
})

t.test('what cannot be opened, and why', {skip}, async t => {
  const {database, port} = await postgres()
  const connectionString = database()
  const cases: readonly (readonly [metadata: Readonly<Record<string, string>>, message: RegExp | string])[] = [
    [{}, 'connectionString is missing'],
    [{connectionString: 'nonsense here'}, /^connectionString must be a URL, or pairs like .* from character 1 on$/],
    [{connectionString: 'postgres://me:p@ss@[x/db'}, /^connectionString is not a valid URL/],
    [{connectionString: 'host=a,b user=me'}, 'several hosts are not supported here'],
    [{connectionString, tableName: 'a; DROP TABLE b'}, 'tableName: "a; DROP TABLE b" is no name of a table'],
    [{connectionString, timeout: '5ms'}, "invalid value for 'timeout': must be greater than 1s"],
    [{connectionString, queryExecMode: 'fast'}, 'invalid queryExecMode metadata value: fast'],
    [{connectionString, useAzureAD: 'true'}, 'useAzureAD is not supported here: use a password'],
    [
      {connectionString: `${connectionString} sslmode=require`},
      `failed to ping the database at 127.0.0.1:${port}: The server does not support SSL connections`
    ],
    [{connectionString: `${connectionString} sslmode=maybe`}, /sslmode "maybe" is none of/],
    [
      {connectionString, database: 'nowhere'},
      `failed to ping the database at 127.0.0.1:${port}: database "nowhere" does not exist`
    ],
    [{connectionString, port: '1'}, /^failed to ping the database at 127\.0\.0\.1:1: .*ECONNREFUSED/]
  ]
  for (const [metadata, message] of cases)
    await t.rejects(store(t, 'v1', metadata), {name: 'ComponentFault', message}, String(message))
  const url = `postgres://postgres:a%40b@127.0.0.1:${port}/${/dbname=(\w+)/.exec(connectionString)?.[1] ?? ''}`
  const state = await store(t, 'v2', {
    connectionString: `${url}?sslmode=disable&search_path=public,pg_catalog`,
    tablePrefix: 'public.'
  })
  await state.set(item('k', '1'))
  t.equal(await textOf(state, 'k'), '1')
  t.equal(await textOf(await store(t, 'v2', {url, user: 'postgres', tablePrefix: 'public.'}), 'k'), '1')
})
