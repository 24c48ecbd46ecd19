import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {realPostgres, skipWithoutPostgres, type RealPostgres} from '../rig/postgres.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

interface Store {
  readonly type: string
  readonly version?: string
  readonly metadata: () => Promise<Readonly<Record<string, string>>>
  readonly skip?: false | string
}

let postgres: RealPostgres | undefined
const newDatabase = async (): Promise<Readonly<Record<string, string>>> => {
  postgres ??= await realPostgres(t)
  return {connectionString: postgres.database()}
}

const STORES: readonly Store[] = [
  {type: 'state.in-memory', metadata: async () => ({})},
  {type: 'state.sqlite', metadata: async () => ({connectionString: 'data.db'})},
  // nobody listens there: the run is that Redis
  {type: 'state.redis', metadata: async () => ({redisHost: `localhost:${await freePort()}`, redisPassword: ''})},
  {type: 'state.postgresql', version: 'v1', metadata: newDatabase, skip: skipWithoutPostgres},
  {type: 'state.postgresql', version: 'v2', metadata: newDatabase, skip: skipWithoutPostgres}
]

const openShop = async (t: Test, files: Readonly<Record<string, string>>): Promise<Driven> => {
  const rig = await openRig(t)
  await rig.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [`resources/${name}.yaml`, text])))
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  return shop
}

type Answer = Awaited<ReturnType<Driven['fetch']>>

const S = '/v1.0/state/store'

const save = async (shop: Driven, items: unknown, query = ''): Promise<Answer> =>
  shop.fetch(S + query, {method: 'POST', body: typeof items === 'string' ? items : JSON.stringify(items)})

const read = async (shop: Driven, key: string): Promise<string> => {
  const {status, body} = await shop.fetch(`${S}/${key}`)
  return status === 204 ? 'none' : body
}

const etagOf = async (shop: Driven, key: string): Promise<string> => {
  const etag = (await shop.fetch(`${S}/${key}`)).headers['etag']
  return typeof etag === 'string' ? etag : ''
}

for (const {type, version = 'v1', metadata, skip = false} of STORES) {
  const isRedis = type === 'state.redis'
  const isPostgres = type === 'state.postgresql'
  /** Values are of the type jsonb, and a row has the number of the transaction that wrote it. */
  const isJsonb = isPostgres && version === 'v1'
  const title = isPostgres ? `${type} ${version}` : type
  const openStore = async (t: Test): Promise<Driven> =>
    openShop(t, {store: component('store', type, await metadata(), {version})})

  t.test(`${title}: what is saved is read, deleted, read in bulk`, {skip}, async t => {
    const shop = await openStore(t)
    t.match(await shop.fetch(`${S}/pear`), {status: 204, body: ''})
    const text =
      '[{"key":"pear","value":{"n": 12345678901234567890, "2":1, "1":"<&>"}},{"key":"a b","value":"text"},{"key":"n"}]'
    t.match(await save(shop, text), {status: 204})
    const pear = await shop.fetch(`${S}/pear`)
    t.match(pear, {status: 200, headers: {'content-type': 'application/json', etag: /./}})
    t.equal(
      pear.body,
      isJsonb ? '{"1": "<&>", "2": 1, "n": 12345678901234567890}' : '{"n":12345678901234567890,"2":1,"1":"<&>"}',
      'digits and the order of keys stay'
    )
    t.equal(await read(shop, 'a%20b'), '"text"')
    t.equal(await read(shop, 'n'), 'null')
    const bulk = await shop.fetch(`${S}/bulk`, {method: 'POST', body: JSON.stringify({keys: ['a b', 'none', 'n']})})
    t.equal(bulk.status, 200)
    t.match(JSON.parse(bulk.body), [{key: 'a b', data: 'text', etag: /./}, {key: 'none'}, {key: 'n', data: null}])
    t.same(Object.keys((JSON.parse(bulk.body) as object[])[1] ?? {}), ['key'])
    t.match(await shop.fetch(`${S}/pear`, {method: 'DELETE'}), {status: 204})
    t.match(await shop.fetch(`${S}/pear`, {method: 'DELETE'}), {status: 204}, 'one that is missing, too')
    t.equal(await read(shop, 'pear'), 'none')
    const query = await shop.fetch('/v1.0-alpha1/state/store/query', {method: 'POST', body: '{}'})
    t.match(query, {
      status: 500,
      body: isRedis
        ? /"ERR_STATE_QUERY","message":"state store store query failed: redis-json server support is required for query capability",.*DAPR_STATE_QUERY_FAILED/
        : /"ERR_STATE_STORE_NOT_SUPPORTED"/
    })
    t.match(await save(shop, []), {status: 204})
    t.match(await shop.fetch(`${S}/bulk`, {method: 'PUT', body: '{}'}), {status: 200, body: '[]'})
  })

  t.test(`${title}: concurrency`, {skip}, async t => {
    const shop = await openStore(t)
    await save(shop, [{key: 'k', value: 1}])
    const old = await etagOf(shop, 'k')
    await save(shop, [{key: 'k', value: 2}])
    const mismatch = {
      status: 409,
      body: /"errorCode":"ERR_STATE_SAVE","message":"failed saving state in state store store: possible etag mismatch. error from state store/
    }
    for (const concurrency of ['', 'first-write', ...(isRedis ? [] : ['last-write'])])
      t.match(await save(shop, [{key: 'k', value: 3, etag: old, options: {concurrency}}]), mismatch, concurrency)
    const odd =
      isRedis || isJsonb
        ? {status: 400, body: /invalid etag value: strconv\.(?:Atoi|ParseUint): parsing \\"odd\\": invalid syntax/}
        : mismatch
    t.match(await save(shop, [{key: 'k', value: 3, etag: 'odd'}]), odd)
    const saved = {status: 204}
    t.match(await save(shop, [{key: 'new', value: 3, etag: old}]), isRedis ? saved : mismatch)
    t.match(
      await save(shop, [{key: 'k', value: 3, options: {concurrency: 'first-write'}}]),
      isRedis || isPostgres
        ? {status: 500, body: isRedis ? /failed to set key shop\|\|k: / : /: no item was updated"/}
        : mismatch
    )
    if (isRedis) {
      t.equal(await etagOf(shop, 'k'), '2', 'the number of saves')
      const last = {concurrency: 'last-write'}
      t.match(await save(shop, [{key: 'k', value: 3, etag: old, options: last}]), saved)
    }
    t.match(await save(shop, [{key: 'first', value: 3, options: {concurrency: 'first-write'}}]), {status: 204})
    t.match(await save(shop, [{key: 'first', value: 4}]), {status: 204})
    t.match(await save(shop, [{key: 'k', value: 4, etag: ''}]), {status: 204})
    t.match(await save(shop, [{key: 'k', value: 5, etag: await etagOf(shop, 'k')}]), {status: 204})
    t.match(
      await save(shop, [
        {key: 'k', value: 6, etag: old},
        {key: 'other', value: 7}
      ]),
      mismatch
    )
    t.equal(await read(shop, 'k'), '5')
    t.equal(await read(shop, 'other'), '7', 'the others are saved')
    t.match(await save(shop, [{key: 'k', value: 1, options: {concurrency: 'never'}}]), {
      status: 500,
      body: /failed saving state in state store store: unrecognized concurrency model 'never'/
    })
    t.match(await save(shop, [{key: 'k', value: 1, options: {consistency: 'never'}}]), {
      status: 500,
      body: /unrecognized consistency model 'never'/
    })
    const deleted = await shop.fetch(`${S}/k`, {method: 'DELETE', headers: {'If-Match': old}})
    t.match(deleted, {
      status: 409,
      body: /"ERR_STATE_DELETE","message":"failed deleting state with key k: possible etag mismatch/
    })
    t.match(await shop.fetch(`${S}/k`, {method: 'DELETE', headers: {'If-Match': await etagOf(shop, 'k')}}), {
      status: 204
    })
  })

  t.test(`${title}: transactions, all or nothing`, {skip}, async t => {
    const shop = await openStore(t)
    const transact = async (operations: unknown): Promise<Answer> =>
      shop.fetch(`${S}/transaction`, {method: 'POST', body: JSON.stringify({operations})})
    await save(shop, [{key: 'gone', value: 1}])
    t.match(
      await transact([
        {operation: 'upsert', request: {key: 'a', value: {x: 1}}},
        {operation: 'delete', request: {key: 'gone'}}
      ]),
      {status: 204}
    )
    t.equal(await read(shop, 'a'), isJsonb ? '{"x": 1}' : '{"x":1}')
    t.equal(await read(shop, 'gone'), 'none')
    const failed = await transact([
      {operation: 'upsert', request: {key: 'b', value: 1}},
      {operation: 'upsert', request: {key: 'a', value: 1, etag: '77'}}
    ])
    t.match(failed, {status: 500, body: /"ERR_STATE_TRANSACTION","message":"error while executing state transaction: /})
    t.equal(await read(shop, 'b'), isRedis ? '1' : 'none', 'Redis undoes nothing')
    t.match(await transact([{operation: 'move', request: {key: 'a'}}]), {
      status: 400,
      body: '{"errorCode":"ERR_NOT_SUPPORTED_STATE_OPERATION","message":"operation type move not supported"}'
    })
    t.match(await transact([]), {status: 204})
  })

  t.test(`${title}: time to live`, {skip}, async t => {
    const shop = await openStore(t)
    await save(shop, [
      {key: 'k', value: 1, metadata: {ttlInSeconds: '1'}},
      {key: 'long', value: 1, metadata: {ttlInSeconds: '1000'}}
    ])
    const expiry = async (key: string): Promise<unknown> =>
      (await shop.fetch(`${S}/${key}`)).headers['metadata.ttlexpiretime']
    if (!isRedis) t.match(await expiry('long'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    while ((await read(shop, 'k')) !== 'none') await pause(10)
    if (!isRedis) {
      await save(shop, [{key: 'k', value: 2, metadata: {ttlInSeconds: '-1'}}], '?metadata.ttlInSeconds=1000')
      t.ok(await expiry('k'), 'what the query says wins')
      await save(shop, [{key: 'k', value: 3}])
      t.equal(await expiry('k'), undefined, 'a save without it ends it')
    }
    t.match(await save(shop, [{key: 'k', value: 1, metadata: {ttlInSeconds: 'x'}}]), {
      status: 500,
      body: isRedis
        ? /failed to parse ttl from metadata: /
        : isPostgres
          ? /error parsing TTL: incorrect value for metadata 'ttlInSeconds': strconv\.ParseInt: parsing \\"x\\": invalid syntax/
          : /ttlInSeconds value must be a valid integer: actual is 'x'/
    })
  })
}

const malformed = (message: RegExp): object => ({status: 400, body: message})

t.test('errors, and what is asked of a store that is not there', async t => {
  const shop = await openShop(t, {store: component('store', 'state.in-memory')})
  const cases: readonly (readonly [path: string, body: string, expected: object])[] = [
    ['', '', malformed(/"ERR_MALFORMED_REQUEST","message":"EOF"/)],
    ['', '{}', malformed(/"ERR_MALFORMED_REQUEST"/)],
    ['', '[{"value":1}]', malformed(/"message":"\\"key\\" is a required field"/)],
    ['', '[{"key":"k","metadata":{"ttlInSeconds":5}}]', malformed(/ERR_MALFORMED_REQUEST/)],
    ['/bulk', 'x', malformed(/"message":"failed deserializing HTTP body: /)],
    ['/transaction', '[', malformed(/"message":"failed deserializing HTTP body: /)],
    [
      '',
      '[{"key":"a||b","value":1}]',
      {
        status: 400,
        body: JSON.stringify({
          errorCode: 'ERR_MALFORMED_REQUEST',
          message: "api error: code = InvalidArgument desc = input key/keyPrefix 'a||b' can't contain '||'",
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              domain: 'dapr.io',
              metadata: null,
              reason: 'DAPR_STATE_ILLEGAL_KEY'
            },
            {
              '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
              description: '',
              owner: '',
              resource_name: 'store',
              resource_type: 'state'
            },
            {
              '@type': 'type.googleapis.com/google.rpc.BadRequest',
              field_violations: [{description: "input key/keyPrefix 'a||b' can't contain '||'", field: 'a||b'}]
            }
          ]
        })
      }
    ]
  ]
  for (const [path, body, expected] of cases)
    t.match(await shop.fetch(S + path, {method: 'POST', body}), expected, `${path} ${body}`)
  t.match(await shop.fetch('/v1.0/state/stor/k'), {
    status: 400,
    body: '{"errorCode":"ERR_STATE_STORE_NOT_FOUND","message":"state store stor is not found (did you mean store?)","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","metadata":{"appID":"shop"},"reason":"DAPR_STATE_NOT_FOUND"}]}'
  })
  for (const [path, body] of [
    ['none', ''],
    ['none', '[{}]'],
    ['none/bulk', '{'],
    ['none/transaction', '[]']
  ] as const) {
    const answer = await shop.fetch(`/v1.0/state/${path}`, {method: 'POST', body})
    t.match(answer, {status: 400, body: /"ERR_STATE_STORE_NOT_FOUND","message":"state store none is not found/}, path)
  }
  t.match(await shop.fetch('/v1.0-alpha1/state/store/query', {method: 'POST', body: '{}'}), {
    status: 500,
    body: /"errorCode":"ERR_STATE_STORE_NOT_SUPPORTED","message":"state store does not support querying","details":.*DAPR_STATE_QUERYING_NOT_SUPPORTED/
  })
  t.match(await shop.fetch(`${S}/a/b`), {status: 404, body: /ERR_DIRECT_INVOKE/})
})

t.test('key prefixes, and one store for all apps', async t => {
  const rig = await openRig(t)
  const prefixes = {own: '', name: 'name', none: 'none', shared: 'Shared'}
  await rig.write(
    Object.fromEntries(
      Object.entries(prefixes).map(([name, keyPrefix]) => [
        `resources/${name}.yaml`,
        component(name, 'state.sqlite', {connectionString: `file:${rig.folder}/all.db?mode=rwc`, keyPrefix})
      ])
    )
  )
  await rig.template(['shop', 'stock'].map(appID => ({appID, autoPort: true, resourcesPath: '../resources'})))
  rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await Promise.all([shop.listen(), stock.listen()])
  for (const name of Object.keys(prefixes))
    await shop.fetch(`/v1.0/state/${name}`, {method: 'POST', body: JSON.stringify([{key: 'k', value: name}])})
  const seen = async (name: string): Promise<string> => (await stock.fetch(`/v1.0/state/${name}/k`)).body
  t.same(await Promise.all(Object.keys(prefixes).map(seen)), ['', '"name"', '"none"', '"shared"'])
  const {DatabaseSync} = await import('node:sqlite')
  const database = new DatabaseSync(`${rig.folder}/all.db`)
  t.teardown(() => database.close())
  const keys = database
    .prepare('SELECT key FROM state ORDER BY key')
    .all()
    .map(row => row['key'])
  t.same(keys, ['k', 'name||k', 'shared||k', 'shop||k'])
})
