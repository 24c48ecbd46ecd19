/** A template with secrets at every place where one can come in, and requests that bring the others. */
import {once} from 'node:events'
import {connect} from 'node:http2'
import {gzipSync} from 'node:zlib'
import {Canaries} from './canaries.ts'
import {freePort} from './free-port.ts'

export interface SecretShop {
  readonly canaries: Canaries
  /** Paths below the folder of the template, and their texts. */
  readonly files: Readonly<Record<string, string>>
  /** The environment of the run. */
  readonly env: Readonly<Record<string, string>>
  /** Sends requests with secrets through the sidecar of `shop`. */
  readonly send: (ports: {readonly httpPort: number; readonly grpcPort: number}) => Promise<void>
  /** Spans with secrets, in OTLP's JSON. */
  readonly spans: string
  /** Payloads with secrets, for workflows, jobs and reminders. */
  readonly payload: (place: string) => object
}

const SERVER = `
import * as zlib from 'node:zlib'
import {readFileSync} from 'node:fs'
const {createServer} = process.getBuiltinModule('node:http')
const {answers, headers, plain} = JSON.parse(readFileSync('answers.json', 'utf8'))
const compress = {gzip: zlib.gzipSync, br: zlib.brotliCompressSync, deflate: zlib.deflateSync, zstd: zlib.zstdCompressSync}
createServer((request, response) => {
  request.resume().on('end', () => {
    const path = request.url.replace(/[?;].*/, '')
    if (path === '/die') process.exit(3)
    if (path === '/dapr/config') return response.end('{"entities": ["Cart"]}')
    if (path === '/dapr/subscribe') return response.end('[{"pubsubname": "events", "topic": "orders", "route": "/orders"}]')
    if (path === '/headers') return response.writeHead(302, headers).end()
    if (path === '/raw') return response.writeHead(200, {'content-type': 'application/json', 'content-encoding': 'deflate'}).end(zlib.deflateRawSync(answers.raw))
    const kind = path.slice(1)
    if (compress[kind]) return response.writeHead(200, {'content-type': 'application/json', 'content-encoding': kind}).end(compress[kind](answers[kind]))
    if (path.startsWith('/job') || path.startsWith('/actors')) return response.writeHead(500, {'content-type': 'application/json'}).end(answers[path.startsWith('/job') ? 'job' : 'actor'])
    if (path === '/count') return response.writeHead(200, {'content-type': 'application/json'}).end(answers.count.replace('COUNT', ++count))
    if (path === '/chunks') {
      response.writeHead(200, {'content-type': 'application/json'})
      const half = answers.chunks.length / 2
      response.write(answers.chunks.slice(0, half), () => setImmediate(() => response.end(answers.chunks.slice(half))))
      return
    }
    response.writeHead(path === '/fail' ? 500 : 200, {'content-type': 'application/json'}).end(answers[kind] ?? plain)
  })
}).listen(process.env.APP_PORT, '127.0.0.1')
let count = 0
`

const resource = (kind: string, name: string, rest: object): string =>
  JSON.stringify({apiVersion: 'dapr.io/v1alpha1', kind, metadata: {name}, ...rest})

const component = (
  name: string,
  type: string,
  metadata: readonly object[] = [],
  auth: object = {secretStore: 'secrets'}
): string => resource('Component', name, {spec: {type, version: 'v1', ignoreErrors: true, metadata}, auth})

const value = (name: string, text: string): object => ({name, value: text})
const fromStore = (name: string, key: string): object => ({name, secretKeyRef: {name: key, key}})

const at = (path: string, id = 'stock'): string => `/v1.0/invoke/${id}/method/${path}`
const attribute = (key: string, stringValue: string): object => ({key, value: {stringValue}})

/** A value that is cut where the recorder stops, in its middle. */
const KEPT = 16 * 1024

export async function secretShop(): Promise<SecretShop> {
  const canaries = new Canaries()
  const secret = canaries.at.bind(canaries)
  const json = (place: string, more: object = {}): string =>
    JSON.stringify({password: secret(place, '"/+& \\'), ...more})
  const closed = `127.0.0.1:${await freePort()}`
  const port = closed.split(':')[1]
  const cutBody = `{"pad":"${'x'.repeat(KEPT - 40)}","token":"${secret('a body that is cut within it')}","pad":"${'x'.repeat(KEPT)}"}`
  const answers = {
    raw: json('a body in raw deflate'),
    gzip: json('a body in gzip'),
    br: json('a body in brotli'),
    deflate: json('a body in deflate'),
    zstd: json('a body in zstd'),
    job: json('the answer to a job'),
    actor: json('the answer to a reminder'),
    fail: json('the body of a failure'),
    chunks: json('a body in chunks'),
    cut: cutBody,
    count: JSON.stringify({
      n: 'COUNT',
      password: `COUNT${secret('an answer that differs')}`,
      deep: {token: [secret('a list')]}
    }),
    lines: `${json('the first of several lines')}\n${json('the second of several lines')}\n`,
    text: JSON.stringify({
      log: JSON.stringify({token: secret('JSON in a text of JSON')}),
      why: `cannot reach postgres://me:${secret('a URL among the words of JSON')}@db/x`
    })
  }
  const headers = {
    location: `/next?token=${secret('the query of a Location')}#access_token=${secret('the fragment of a Location')}`,
    'set-cookie': [`id=${secret('a Set-Cookie')}; Path=/`, `more=${secret('another Set-Cookie')}`],
    link: `<http://me:${secret('the password of a Link')}@host/>; rel=next`,
    refresh: `0; url=/x?code=${secret('the code of a Refresh')}`,
    'x-forwarded-authorization': `Bearer ${secret('a header whose name has authorization in it')}`,
    'x-context': JSON.stringify({token: secret('JSON in a header')}),
    baggage: `userToken=${secret('baggage')},n=1`
  }
  const env = {
    DB_PASSWORD: secret('a variable'),
    DATABASE_URL: `postgres://me:${secret('the password of a URL in a variable')}@db/x`,
    WEBHOOK: `https://host/hook?token=${secret('the query of a URL in a variable')}`,
    DSN: `host=db password='${secret('libpq in a variable', ' ')}' user=me`,
    ODBC: `Server=db;Password="${secret('ODBC in a variable', ' ;')}";Database=x`,
    JSON_SETTINGS: JSON.stringify({nested: {password: secret('JSON in a variable')}}),
    REDIS: `host:6380,password=${secret('the words of StackExchange.Redis')},ssl=True`,
    STORAGE: `AccountName=x;AccountKey=${secret('the words of Azure')};EndpointSuffix=y`
  }
  const command = [
    'node',
    'app.mjs',
    `--api-key=${secret('an argument')}`,
    '--token',
    secret('an argument of its own'),
    `postgres://me:${secret('a URL among the arguments')}@db/x`
  ]
  const app = {appDirPath: '.', autoPort: true, command, env}
  const stores = {
    redis: secret('a secret of a store'),
    pg: `postgres://me:${secret('a URL of a store')}@127.0.0.1:${port}/x`,
    bad: `postgres://me:${secret('a broken URL of a store')}@bad host/x`,
    model: secret('the key of a model')
  }
  const files = {
    'app.mjs': SERVER,
    'answers.json': JSON.stringify({answers, headers, plain: '{}'}),
    'dapr.yaml': JSON.stringify(
      {
        version: 1,
        common: {resourcesPaths: ['resources']},
        apps: [
          {
            appID: 'shop',
            ...app,
            envFile: ['shop.env'],
            configFilePath: 'config.yaml',
            restart: 'on-failure',
            enableApiLogging: true
          },
          {appID: 'stock', ...app, record: {mask: ['x-customer']}}
        ]
      },
      undefined,
      2
    ),
    'shop.env': `API_TOKEN=${secret('an env file')}\n`,
    'config.yaml': resource('Configuration', 'config', {
      spec: {
        tracing: {
          samplingRate: '1',
          zipkin: {
            endpointAddress: `http://me:${secret('the password of a collector')}@${closed}/x?token=${secret('the query of a collector')}`
          }
        }
      }
    }),
    'secrets.json': JSON.stringify(stores),
    'broken.json': `{"key": "${secret('a secret file that is no JSON')}"x}`,
    'resources/stores.yaml': [
      component('secrets', 'secretstores.local.file', [value('secretsFile', 'secrets.json')]),
      component('broken', 'secretstores.local.file', [value('secretsFile', 'broken.json')]),
      component('memory', 'state.in-memory', [value('actorStateStore', 'true')]),
      component('events', 'pubsub.in-memory'),
      component('redis', 'state.redis', [value('redisHost', closed), fromStore('redisPassword', 'redis')]),
      component('pg', 'state.postgresql', [fromStore('connectionString', 'pg')]),
      component('pgbad', 'state.postgresql', [fromStore('connectionString', 'bad')]),
      component('pgplain', 'state.postgresql', [
        value(
          'connectionString',
          `host=127.0.0.1 port=${port} password='${secret('libpq of a component', ' ')}' dbname=x`
        )
      ]),
      component('rabbit', 'pubsub.rabbitmq', [
        value('connectionString', `amqp://me:${secret('the URL of a broker')}@${closed}`)
      ]),
      component('site', 'bindings.http', [
        value(
          'url',
          `http://me:${secret('the password of a binding')}@${closed}/?api_key=${secret('the query of a binding')}`
        )
      ]),
      component('badsite', 'bindings.http', [
        value('url', `htp://me:${secret('the password of a binding that is wrong')}@${closed}/`)
      ]),
      component('jwks', 'crypto.dapr.jwks', [
        value(
          'jwks',
          `{"keys": [{"kty": "oct", "kid": "a", "k": "${secret('a key of a component that is no JSON')}"x}]}`
        )
      ]),
      component('model', 'conversation.openai', [
        fromStore('key', 'model'),
        value(
          'endpoint',
          `http://me:${secret('the endpoint of a model')}@${closed}/v1?key=${secret('the query of a model')}`
        ),
        value('model', 'm')
      ]),
      resource('HTTPEndpoint', 'outside', {
        spec: {
          baseUrl: `http://me:${secret('the password of an endpoint')}@${closed}/x`,
          headers: [value('authorization', `Bearer ${secret('the header of an endpoint')}`)]
        }
      })
    ].join('\n---\n')
  }
  const token = secret('the API token of the run')
  const payload = (place: string): object => ({
    password: secret(place),
    texts: [
      JSON.stringify({token: secret(`${place}, in a text`)}),
      `https://host/?token=${secret(`${place}, in a URL`)}`
    ]
  })
  const send: SecretShop['send'] = async ({httpPort, grpcPort}) => {
    const ask = async (path: string, request: RequestInit = {}): Promise<void> => {
      const more = {...(request.headers as Record<string, string> | undefined), 'dapr-api-token': token}
      const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
        redirect: 'manual',
        ...request,
        headers: more
      })
      await response.text().catch(() => '')
    }
    const post = async (
      path: string,
      body: string | Uint8Array<ArrayBuffer>,
      headers: Record<string, string> = {}
    ): Promise<void> => ask(path, {method: 'POST', body, headers: {'content-type': 'application/json', ...headers}})
    for (const path of [...Object.keys(answers), 'headers', 'count']) await ask(at(path))
    await ask(
      at(
        `x;jsessionid=${secret('a path')}?token=${secret('a query')}&%74oken=${secret('a query with an encoded name')}` +
          `&next=${encodeURIComponent(`https://h/?access_token=${secret('a URL in a query')}`)}&back=${encodeURIComponent(`http://me:${secret('a password in a query')}@h/`)}`
      ),
      {
        headers: {
          authorization: `Bearer ${secret('Authorization')}`,
          cookie: `a=1; id=${secret('a Cookie')}`,
          'x-api-key': secret('a key'),
          referer: `https://me:${secret('the password of a Referer')}@host/?code=${secret('the code of a Referer')}`,
          'x-customer': secret('a header that the template names'),
          'x-auth': `Basic ${Buffer.from(`me:${secret('Basic')}`).toString('base64')}`
        }
      }
    )
    await post(at('x'), json('a body', {pins: {pin: 1234}, 'x-customer': secret('a field that the template names')}))
    await post(at('x'), `{"pass\\u0077ord":"${secret('a field with an escaped name')}"}`)
    await post(at('x'), cutBody)
    await post(at('x'), new Uint8Array(gzipSync(json('a body that is sent in gzip'))), {'content-encoding': 'gzip'})
    await post(at('x'), `a=1&client_secret=${secret('a form')}`, {'content-type': 'application/x-www-form-urlencoded'})
    await post(at('fail'), json('the request of a failure'))
    await ask(at('x', 'outside'), {headers: {authorization: secret('a header to an endpoint')}})
    for (const path of ['state/redis/a', 'state/pg/a', 'secrets/broken/key', 'secrets/secrets/model'])
      await ask(`/v1.0/${path}`)
    await post('/v1.0/state/memory', JSON.stringify([{key: 'a', value: {password: secret('state')}}]))
    await post('/v1.0/publish/events/orders', json('an event'))
    await post('/v1.0/publish/events/orders', json('an event that is text'), {'content-type': 'text/plain'})
    await post('/v1.0/publish/rabbit/orders', json('an event that is not sent'))
    await post(
      '/v1.0/bindings/site',
      JSON.stringify({operation: 'get', metadata: {path: `/?token=${secret('the path of a binding')}`}})
    )
    await post('/v1.0/bindings/badsite', JSON.stringify({operation: 'get'}))
    await post(
      '/v1.0-alpha2/conversation/model/converse',
      JSON.stringify({inputs: [{messages: [{ofUser: {content: [{text: 'hi'}]}}]}]})
    )
    await post('/v1.0-alpha1/jobs/nightly', JSON.stringify({dueTime: '1h', data: payload('a job')}))
    await post('/v1.0/actors/Cart/7/reminders/late', JSON.stringify({dueTime: '1h', data: payload('a reminder')}))
    await post(
      '/v1.0/actors/Cart/7/state',
      JSON.stringify([
        {operation: 'upsert', request: {key: 'password', value: secret('the state of an actor, by its key')}},
        {operation: 'upsert', request: {key: 'cart', value: payload('the state of an actor')}}
      ])
    )
    await post('/v1.0/actors/Cart/7/method/go', json('the call of an actor'))
    await ask('/v1.0/metadata')
    const session = connect(`http://127.0.0.1:${grpcPort}`)
    const call = session.request({
      ':method': 'POST',
      ':path': '/shop.Stock/Get',
      'content-type': 'application/grpc',
      te: 'trailers',
      'dapr-app-id': 'stock',
      'dapr-api-token': token,
      authorization: `Bearer ${secret('metadata of gRPC')}`,
      'x-session-bin': Buffer.from(secret('binary metadata of gRPC')).toString('base64')
    })
    call.end(Buffer.alloc(5))
    await once(
      call.resume().on('error', () => undefined),
      'close'
    )
    session.close()
    await ask(at(`die?token=${secret('the request inside at an exit')}`, 'shop'), {
      headers: {authorization: secret('a header inside at an exit')}
    }).catch(() => undefined)
  }
  const spans = JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [attribute('service.name', 'stock'), attribute('db.password', secret('a resource of a span'))]
        },
        scopeSpans: [
          {
            scope: {name: 'test'},
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: 'b7ad6b7169203331',
                name: `GET /x?token=${secret('the name of a span')}`,
                kind: 3,
                startTimeUnixNano: `${Date.now()}000000`,
                endTimeUnixNano: `${Date.now() + 1}000000`,
                attributes: [
                  attribute('http.request.header.authorization', secret('a header of a span')),
                  attribute('url.query', `token=${secret('the query of a span')}`),
                  attribute('url.full', `https://me:${secret('the URL of a span')}@host/`),
                  attribute('db.connection_string', `host=db password='${secret('libpq of a span', ' ')}'`),
                  attribute('http.request.body', json('the body of a span'))
                ],
                events: [
                  {
                    name: 'exception',
                    timeUnixNano: `${Date.now()}000000`,
                    attributes: [
                      attribute('exception.type', 'Error'),
                      attribute('exception.message', `cannot reach postgres://me:${secret('an exception')}@db/x`),
                      attribute('exception.stacktrace', `Error: https://host/?token=${secret('a stack')}`)
                    ]
                  }
                ],
                status: {code: 2, message: `https://h/?token=${secret('the status of a span')}`}
              }
            ]
          }
        ]
      }
    ]
  })
  return {
    canaries,
    files,
    env: {DAPR_API_TOKEN: token, APP_API_TOKEN: secret('the token of an app')},
    send,
    spans,
    payload
  }
}
