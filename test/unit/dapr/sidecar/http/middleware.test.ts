import t from 'tap'
import {runPipeline, upperCase} from '../../../../../src/dapr/sidecar/http/middleware/middleware.ts'
import type {Pipeline} from '../../../../../src/dapr/sidecar/http/middleware/middleware.ts'
import {createPipeline, rateLimit} from '../../../../../src/dapr/sidecar/http/middleware/pipeline.ts'

const place = {file: 'config.yaml', line: 4, column: 1, source: ''}

const specOf = (type: string, metadata: Readonly<Record<string, string>>) => ({
  name: 'm',
  type: `middleware.http.${type}`,
  metadata: Object.entries(metadata),
  place,
  fault: ''
})

const made = async (type: string, metadata: Readonly<Record<string, string>>): Promise<Pipeline | string> =>
  createPipeline([specOf(type, metadata)], new Map())

const pipeline = async (type: string, metadata: Readonly<Record<string, string>>): Promise<Pipeline> => {
  const each = await made(type, metadata)
  if (typeof each === 'string') throw new Error(each)
  return each
}

/** The status of the reply, else the target that it passes with. */
const sent = async (
  middleware: Pipeline,
  url: string,
  rawHeaders: readonly string[] = []
): Promise<number | string> => {
  const request = {url, rawHeaders, isUppercase: false}
  const reply = await runPipeline(middleware, request)
  return reply?.status ?? request.url
}

t.test('routerchecker lets pass what its rule matches, path and query', async t => {
  const checker = await pipeline('routerchecker', {rule: '^[A-Za-z0-9/._-]+$'})
  for (const url of ['/v1.0/invoke/demo/method/method', '/v1.0/invoke/demo.default/method/user-info'])
    t.equal(await sent(checker, url), url)
  for (const url of ['/v1.0/invoke/demo/method/cat%20password', '/v1.0/invoke/demo/method/"$(curl', '/a?b=c'])
    t.equal(await sent(checker, url), 400, url)
})

t.test('patterns are those of RE2, and no path makes one backtrack', async t => {
  t.equal(await sent(await pipeline('routerchecker', {rule: '^(/?[a-z]+)+$'}), `/${'a'.repeat(4000)}!`), 400)
  t.equal(await sent(await pipeline('routerchecker', {rule: '(?i)^/V1'}), '/v1.0/metadata'), '/v1.0/metadata')
  const alias = await pipeline('routeralias', {routes: '{"/{id:(?:[a-z]+/?)+}": "/letters"}'})
  t.equal(await sent(alias, `/${'a'.repeat(4000)}!`), `/${'a'.repeat(4000)}!`)
  t.equal(await sent(alias, '/ab'), '/letters?id=ab')
})

const ROUTES = `{
  "/mall/activity/info": "/v1.0/invoke/srv.default/method/mall/activity/info",
  "/hello/activity/{id}/info": "/v1.0/invoke/srv.default/method/hello/activity/info",
  "/o/{id:[0-9]+}": "/numbered",
  "/größe": "/maße in cm",
  "/old path/{id}": "new"
}`

const ALIASES: readonly (readonly [sent: string, becomes: string])[] = [
  ['/mall/activity/info', '/v1.0/invoke/srv.default/method/mall/activity/info'],
  ['/mall/activity/info?id=123', '/v1.0/invoke/srv.default/method/mall/activity/info?id=123'],
  ['/hello/activity/a%20b/info?x=1', '/v1.0/invoke/srv.default/method/hello/activity/info?x=1&id=a+b'],
  ['/hello/activity/1/2/info', '/hello/activity/1/2/info'],
  ['/mall/activity/info/', '/mall/activity/info/'],
  ['/o/12', '/numbered?id=12'],
  ['/o/x', '/o/x'],
  ['/gr%C3%B6%C3%9Fe?q=%C3%B6', '/ma%C3%9Fe%20in%20cm?q=%C3%B6'],
  [Buffer.from('/größe?q=ö').toString('latin1'), `/ma%C3%9Fe%20in%20cm?q=${Buffer.from('ö').toString('latin1')}`],
  ['/old%20path/50%25', '/new?id=50%25'],
  ['/o/%zz', '/o/%zz']
]

t.test('routeralias rewrites paths; parts of them go into the query', async t => {
  for (const [from, to] of ALIASES) t.equal(await sent(await pipeline('routeralias', {routes: ROUTES}), from), to)
  t.equal(await sent(await pipeline('routeralias', {routes: '/a: /b\n/c: /d\n'}), '/c'), '/d', 'YAML, too')
  t.equal(await sent(await pipeline('routeralias', {}), '/a'), '/a')
})

t.test('ratelimit lets so many pass in a second, and as many at once', async t => {
  let now = 0
  const limit = rateLimit(new Map([['maxRequestsPerSecond', '2']]), () => now)
  const status = (): number => {
    const reply = limit({url: '/', rawHeaders: [], isUppercase: false})
    return reply === undefined || reply instanceof Promise ? 200 : reply.status
  }
  t.same([status(), status(), status()], [200, 200, 429])
  now = 500
  t.same([status(), status()], [200, 429])
  now = 60_000
  t.same([status(), status(), status()], [200, 200, 429])
})

t.test('uppercase changes letters alone, and no length', async t => {
  const piece = Buffer.from('aZ{`z é 9')
  upperCase(piece)
  t.equal(piece.toString(), 'AZ{`Z é 9')
})

t.test('they run in their order, and the first reply ends it', async t => {
  const routes = '{"/a": "/b"}'
  const both = [...(await pipeline('routeralias', {routes})), ...(await pipeline('routerchecker', {rule: '^/b$'}))]
  t.equal(await sent(both, '/a'), '/b')
  t.equal(await sent(both.toReversed(), '/a'), 400)
})

const BAD: readonly (readonly [type: string, metadata: Readonly<Record<string, string>>, why: RegExp])[] = [
  ['routerchecker', {rule: '('}, /cannot be used: rule is not a regular expression: /],
  ['ratelimit', {maxRequestsPerSecond: '0'}, /must be a positive value$/],
  ['ratelimit', {maxRequestsPerSecond: 'many'}, /must be a positive value$/],
  ['routeralias', {routes: '{"/a": 1}'}, /routes is not a map from paths to paths$/],
  ['routeralias', {routes: '{'}, /routes is not a map from paths to paths$/],
  ['bearer', {audience: 'a'}, /issuer is required$/],
  ['bearer', {issuer: 'https://a'}, /audience is required$/],
  ['oauth2', {}, /^config\.yaml:4: the middleware "m" is of type middleware\.http\.oauth2, which is not supported yet$/]
]

for (const [type, metadata, why] of BAD)
  t.test(`what cannot be made says why: ${type} ${JSON.stringify(metadata)}`, async t => {
    t.match(await made(type, metadata), why)
  })

t.test('bearer: an issuer that does not answer is given up, and its keys are looked for again', async t => {
  const {fetch} = globalThis
  t.teardown(() => Object.assign(globalThis, {fetch}))
  let asked = 0
  globalThis.fetch = async (_, {signal} = {}) =>
    new Promise((_resolve, reject) => {
      asked++
      if (signal instanceof AbortSignal) reject(new Error('it was given up'))
    })
  const middleware = await pipeline('bearer', {issuer: 'https://issuer', audience: 'shop'})
  for (const _ of [1, 2]) t.equal(await sent(middleware, '/x', ['Authorization', 'Bearer a.b.c']), 401)
  t.equal(asked, 2)
})

t.test('one that is listed twice is one, before and after an edit', async t => {
  const limit = specOf('ratelimit', {maxRequestsPerSecond: '1'})
  const kept = new Map<string, Pipeline[number]>()
  const pipelines = [await createPipeline([limit, limit], kept), await createPipeline([limit, limit], kept)]
  t.equal(new Set(pipelines.flat()).size, 1)
})
