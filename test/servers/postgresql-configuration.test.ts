import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {open} from '../../src/dapr/components/configuration/postgresql.ts'
import type {ConfigurationItems, ConfigurationStore} from '../../src/dapr/components/configuration-store.ts'
import {openComponent} from '../rig/open-component.ts'
import {CONFIGURATION_TABLE, realPostgres, skipWithoutPostgres, type RealPostgres} from '../rig/postgres.ts'
import {StartQueue} from '../rig/queue.ts'

const skip = skipWithoutPostgres
let server: RealPostgres | undefined
const postgres = async (): Promise<RealPostgres> => (server ??= await realPostgres(t))

const store = async (
  t: Test,
  metadata: Readonly<Record<string, string>>,
  warn: (text: string) => void = () => undefined
): Promise<ConfigurationStore> => openComponent(t, open, {table: 'settings', ...metadata}, {warn})

const follow = async (
  settings: ConfigurationStore,
  keys: readonly string[],
  metadata: Readonly<Record<string, string>> = {}
): Promise<{readonly next: () => Promise<ConfigurationItems>; readonly end: () => Promise<void>}> => {
  const changes = new StartQueue<ConfigurationItems>()
  const end = await settings.subscribe(keys, metadata, items => changes.put(items))
  return {next: async () => changes.take(), end}
}

const row = (key: string, value: string, version = ''): string =>
  `INSERT INTO settings VALUES ('${key}', '${value}', '${version}', '{"unit": "kg"}')`

t.test('items are read, the newest of each key', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  query(
    connectionString,
    `${CONFIGURATION_TABLE}; ${row('a', 'old', '9')}; ${row('a', 'new', '10')}; ${row('a', 'odd', 'x')}`
  )
  query(connectionString, `${row('b.c', '2')}; INSERT INTO settings (key, value) VALUES ('bare', '3')`)
  const settings = await store(t, {connectionString})
  const items = {
    a: {value: 'new', version: '10', metadata: {unit: 'kg'}},
    'b.c': {value: '2', version: '', metadata: {unit: 'kg'}},
    bare: {value: '3', version: '', metadata: {}}
  }
  t.same(await settings.get([], {}), items)
  t.same(await settings.get(['a', 'none'], {pgNotifyChannel: 'config'}), {a: items.a})
  await t.rejects(settings.get(["a'b"], {}), {message: "invalid key : 'a'b'"})
})

t.test('changes are told, those of the keys that were asked for', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  query(connectionString, CONFIGURATION_TABLE)
  const warnings = new StartQueue<string>()
  const settings = await store(t, {connectionString, notifyChannel: 'config'}, text => warnings.put(text))
  const [all, one] = [await follow(settings, []), await follow(settings, ['b'])]
  query(connectionString, row('a', '1'))
  query(connectionString, row('b', '2', '7'))
  const b = {b: {value: '2', version: '7', metadata: {unit: 'kg'}}}
  t.same(await all.next(), {a: {value: '1', version: '', metadata: {unit: 'kg'}}})
  t.same(await all.next(), b)
  t.same(await one.next(), b)
  const long = '{"data": {"key": "c", "version": 9007199254740993, "metadata": {"of": 9007199254740993}}}'
  query(connectionString, `NOTIFY config, '${long}'`)
  t.same(await all.next(), {c: {value: '', version: '9007199254740993', metadata: {of: '9007199254740993'}}})
  query(connectionString, "DELETE FROM settings WHERE key = 'b'")
  t.same(await one.next(), {b: {value: '', version: '', metadata: {}}}, 'one that is gone is empty')
  await one.end()
  query(connectionString, "NOTIFY config, 'text'")
  t.match(await warnings.take(), /^a notification of channel config is no JSON .*: text$/)
  query(connectionString, "NOTIFY config, '[1]'")
  t.equal(await warnings.take(), 'a notification of channel config is no object with a row in "data": [1]')
  await all.end()
  await all.end()
})

t.test('a channel of the request; none', {skip}, async t => {
  const {database, query} = await postgres()
  const connectionString = database()
  query(connectionString, CONFIGURATION_TABLE)
  const settings = await store(t, {connectionString})
  const {next} = await follow(settings, ['a'], {PgNotifyChannel: 'config'})
  query(connectionString, row('a', '1'))
  t.match(await next(), {a: {value: '1'}})
  await t.rejects(follow(settings, ['a']), {
    message: 'unable to subscribe to "settings". notifyChannel must be set in component metadata or request metadata'
  })
  await t.rejects(follow(settings, ['a'], {pgNotifyChannel: 'a"; DROP'}), {message: /^invalid notifyChannel name/})
})

t.test('after the server was away changes are told again', {skip}, async t => {
  const own = await realPostgres(t)
  const connectionString = own.database()
  own.query(connectionString, CONFIGURATION_TABLE)
  const warnings = new StartQueue<string>()
  const settings = await store(t, {connectionString, notifyChannel: 'config'}, text => warnings.put(text))
  const {next} = await follow(settings, [])
  await own.stop()
  t.match(await warnings.take(), /^the connection that listens for changes of configuration is lost: /)
  await own.start()
  const listeners = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
  while (own.query(connectionString, listeners) === '0') await pause(10)
  own.query(connectionString, row('a', '1'))
  t.match(await next(), {a: {value: '1'}})
})

t.test('what cannot be opened, and why', {skip}, async t => {
  const connectionString = (await postgres()).database()
  const cases: readonly (readonly [metadata: Readonly<Record<string, string>>, message: RegExp | string])[] = [
    [{table: ''}, 'missing postgreSQL configuration table name'],
    [
      {table: 'Settings'},
      /^invalid table name 'Settings'\. non-alphanumerics or upper cased table names are not supported$/
    ],
    [{table: 'a'.repeat(65)}, /^table name is too long/],
    [{table: 'none'}, "postgreSQL configuration table 'none' does not exist"],
    [{table: 'a..b'}, /^postgreSQL configuration table 'a\.\.b' .*invalid name syntax/],
    [{notifyChannel: 'A'}, /^invalid notifyChannel name "A"/],
    [{port: '1'}, /^PostgreSQL configuration store ping error at 127\.0\.0\.1:1: /]
  ]
  for (const [metadata, message] of cases)
    await t.rejects(store(t, {connectionString, ...metadata}), {name: 'ComponentFault', message}, String(message))
})
