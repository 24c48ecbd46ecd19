import t from 'tap'
import {dataPlaceOf, type DataPlace} from '../../../../src/dapr/components/data-place.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {componentResource} from '../../../rig/component-resource.ts'

const placeOf = (
  type: string,
  values: Readonly<Record<string, string>>,
  {isOwn = false, folder = '/shop'} = {}
): DataPlace | undefined =>
  dataPlaceOf(
    {
      resource: componentResource('one', type, values),
      properties: new Properties(componentResource('one', type, values).properties),
      folder
    },
    () => isOwn
  )

const shown = (type: string, values: Readonly<Record<string, string>>): string => placeOf(type, values)?.shown ?? ''

t.test('the server is shown, its password never', async t => {
  t.equal(shown('state.redis', {redisHost: 'db:6379', redisPassword: 'secret'}), 'one (state.redis at db:6379)')
  t.equal(shown('pubsub.kafka', {brokers: 'a:1,b:2'}), 'one (pubsub.kafka at a:1,b:2)')
  for (const [values, at] of [
    [{connectionString: 'postgres://me:secret@db:5432/orders?sslmode=disable'}, ' at db:5432'],
    [{connectionString: 'postgres://me:sec@ret@db/orders'}, ' at db'],
    [{connectionString: "host='db' user=me password=secret"}, ' at db'],
    [{connectionString: 'user=me password=secret'}, ''],
    [{url: 'me:sec/ret@db'}, '']
  ] as const)
    t.equal(shown('state.postgresql', values), `one (state.postgresql${at})`)
  t.equal(shown('pubsub.rabbitmq', {host: 'amqp://guest:secret@mq:5672'}), 'one (pubsub.rabbitmq at mq:5672)')
})

t.test('what is in no server, or in the Redis of a copy, is shared with nobody', async t => {
  for (const type of ['state.in-memory', 'pubsub.in-memory', 'bindings.cron'])
    t.equal(placeOf(type, {}), undefined, type)
  for (const type of ['configuration.redis', 'secretstores.local.env', 'crypto.dapr.jwks', 'conversation.openai'])
    t.equal(placeOf(type, {redisHost: 'db'}), undefined, type)
  t.equal(placeOf('state.sqlite', {connectionString: 'file:x?mode=memory'}), undefined)
  t.equal(placeOf('state.redis', {redisHost: 'localhost:6379'}, {isOwn: true}), undefined)
  t.not(placeOf('state.redis', {redisHost: 'elsewhere:6379'}, {isOwn: true}), undefined)
})

const keyOf = (values: Readonly<Record<string, string>>): string =>
  placeOf('state.redis', {redisHost: 'db:1', ...values})?.key ?? ''

t.test('two components share their data where server and names are the same', async t => {
  t.equal(keyOf({dialTimeout: '5s'}), keyOf({}), 'a setting of the client')
  for (const values of [{keyPrefix: 'pr'}, {redisDB: '1'}, {redisHost: 'db:2'}])
    t.not(keyOf(values), keyOf({}), JSON.stringify(values))
})

t.test('data in a file are those of its path, from the folder of the app', async t => {
  const sqlite = (connectionString: string, folder: string, more: object = {}): DataPlace | undefined =>
    placeOf('state.sqlite', {connectionString, ...more}, {folder})
  t.match(sqlite('file:data.db?mode=rwc', '/a'), {shown: 'one (state.sqlite at /a/data.db)'})
  t.equal(sqlite('data.db', '/a')?.key, sqlite('../a/data.db', '/b')?.key)
  t.not(sqlite('data.db', '/a')?.key, sqlite('data.db', '/b')?.key)
  t.not(sqlite('data.db', '/a')?.key, sqlite('data.db', '/a', {tableName: 'other'})?.key)
  t.match(placeOf('bindings.localstorage', {rootPath: 'files'}), {shown: 'one (bindings.localstorage at /shop/files)'})
})
