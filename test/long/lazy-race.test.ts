import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {EchoClient, echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {freePort} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** LAZY_CALLS=2000 takes the full measure; without it a few are enough to see that it works. */
const CALLS = Number(process.env['LAZY_CALLS'] ?? 48)
const IDLE_MS = 150
/** Calls are aimed at the moment at which the app falls asleep, sooner or later by so much. */
const SPREAD_MS = 30

/** Prints the number of each call, event and turn that it gets. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
const {APP_ID, APP_PORT} = process.env
const answers = {
  '/dapr/config': {entities: APP_ID === 'actor' ? ['Cart'] : []},
  '/dapr/subscribe': APP_ID === 'event' ? [{pubsubname: 'pubsub', topic: 'news', route: '/news'}] : []
}
createServer(async (request, response) => {
  const {url} = request
  const body = Buffer.concat(await Array.fromAsync(request)).toString()
  const number = url === '/news' ? JSON.parse(body).data.n : /\\/(\\d+)$/.exec(url)?.[1]
  if (request.method !== 'DELETE' && number !== undefined) process.stdout.write('got ' + APP_ID + ' ' + number + '\\n')
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answers[url] ?? {}))
}).listen(Number(APP_PORT), '127.0.0.1')
`

const ECHO = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]

interface Race {
  readonly rig: Rig
  readonly run: Program
  /** Of the sidecar through which the calls go. */
  readonly sidecar: string
  readonly ownPort: number
  /** Events in memory are those of one app. */
  readonly eventSidecar: string
  readonly client: EchoClient
}

/** A call with this number; gives why it failed, '' = it was answered. */
type Call = (n: number, race: Race) => Promise<string>

const answered = async (asked: Promise<Response>): Promise<string> => {
  const answer = await asked
  const text = await answer.text()
  return answer.status < 300 ? '' : `${answer.status} ${text}`
}

const put = {method: 'PUT', body: '{}'}

/** By the id of an app for each way. */
const HTTP_CALLS: Readonly<Record<string, Call>> = {
  invoked: async (n, {sidecar}) => answered(fetch(`${sidecar}/invoke/invoked/method/${n}`)),
  plain: async (n, {ownPort}) => answered(fetch(`http://127.0.0.1:${ownPort}/${n}`)),
  actor: async (n, {sidecar}) => answered(fetch(`${sidecar}/actors/Cart/1/method/${n}`, put)),
  event: async (n, {eventSidecar, run}) => {
    const headers = {'content-type': 'application/json'}
    const published = await answered(
      fetch(`${eventSidecar}/publish/pubsub/news`, {method: 'POST', headers, body: JSON.stringify({n})})
    )
    if (published === '') await run.waitForLine(new RegExp(`got event ${n}$`))
    return published
  }
}

const GRPC_CALLS: Readonly<Record<string, Call>> = {
  unary: async (n, {client}) => {
    const {code, message} = await client.call({'dapr-app-id': 'unary'}, {message: Buffer.from(n.toString())})
    return code === 0 ? '' : `${code} ${message}`
  },
  stream: async (n, {client}) => {
    const stream = client.both({'dapr-app-id': 'stream'})
    stream.end(Buffer.from(n.toString()))
    const got: string[] = []
    try {
      for await (const message of stream) got.push(String(message))
    } catch (error) {
      return String(error)
    }
    return got.join() === n.toString() ? '' : `it answers ${got.join()}`
  }
}

const WAYS = {...HTTP_CALLS, ...GRPC_CALLS}
const COUNT = Math.ceil(CALLS / Object.keys(WAYS).length)

async function openRace(t: Test): Promise<Race> {
  const rig = await openRig(t)
  const [ownPort, eventPort] = [await freePort(), await freePort()]
  const lazy = {lazy: true, idleTimeout: `${IDLE_MS}ms`}
  await rig.write({'app.mjs': APP, 'resources/pubsub.yaml': component('pubsub', 'pubsub.in-memory')})
  const http = {...lazy, command: ['node', '../app.mjs']}
  const grpc = {
    ...lazy,
    autoPort: true,
    appProtocol: 'grpc',
    command: ECHO,
    env: {COUNT_FILE: 'count', STREAM_FILE: 'count'}
  }
  await rig.template(
    [
      ...Object.keys(HTTP_CALLS).map(appID => ({
        ...http,
        appID,
        ...(appID === 'plain' ? {port: ownPort} : {autoPort: true}),
        ...(appID === 'event' && {daprHTTPPort: eventPort})
      })),
      ...Object.keys(GRPC_CALLS).map(appID => ({...grpc, appID})),
      {appID: 'shop', command: ['sleep', '100000']}
    ],
    {resourcesPath: './resources'}
  )
  const run = rig.pillion(['run', '-f', '.'])
  const ports = await run.ports('shop')
  return {
    rig,
    run,
    ownPort,
    sidecar: `http://127.0.0.1:${ports.http}/v1.0`,
    eventSidecar: `http://127.0.0.1:${eventPort}/v1.0`,
    client: echoClient(t, ports.grpc)
  }
}

if (CALLS > 500) t.setTimeout(CALLS * 1000)

t.test('calls that come at the moment at which an app falls asleep are answered, each once', async t => {
  const race = await openRace(t)
  const {rig, run} = race
  // an event starts an app only once it has said that it reads the topic
  t.match(await rig.run(['start', 'event']), {code: 0})
  await run.waitForLine('event: asleep')
  const failures = await Promise.all(
    Object.entries(WAYS).map(async ([id, call]) => {
      const failed: string[] = []
      for (let n = 0; n < COUNT; n++) {
        const why = await call(n, race)
        if (why !== '') failed.push(`${id} ${n}: ${why}`)
        await pause(IDLE_MS - SPREAD_MS + Math.random() * 2 * SPREAD_MS)
      }
      return failed
    })
  )
  t.same(failures.flat(), [])
  const all = Array.from({length: COUNT}, (_, n) => n)
  await run.waitForLine(/got /, {nth: COUNT * Object.keys(HTTP_CALLS).length})
  for (const id of Object.keys(WAYS)) {
    const lines =
      id in HTTP_CALLS
        ? run.stdout.lines.flatMap(line => new RegExp(`got ${id} (\\d+)$`).exec(line)?.[1] ?? [])
        : (await readFile(join(rig.folder, id, 'count'), 'utf8')).trimEnd().split('\n')
    const got = lines.map(Number).toSorted((a, b) => a - b)
    t.same(got, all, `${id}: none is lost, none comes twice`)
  }
  const slept = run.stdout.lines.filter(line => line.includes(': asleep')).length
  t.comment(`${COUNT * Object.keys(WAYS).length} calls, and an app fell asleep ${slept} times`)
  t.ok(slept > Object.keys(WAYS).length, 'they do fall asleep')
})
