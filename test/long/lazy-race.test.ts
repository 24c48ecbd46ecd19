import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** LAZY_CALLS=2000 takes the full measure; without it a few are enough to see that it works. */
const CALLS = Number(process.env['LAZY_CALLS'] ?? 40)
const IDLE_MS = 150
/** Calls are aimed at the moment at which the app falls asleep, sooner or later by so much. */
const SPREAD_MS = 30

/** Prints each request that it gets. */
const APP = `
import {createServer} from 'node:http'
createServer((request, response) => {
  const {url} = request
  request.resume().on('end', () => {
    if (!url.startsWith('/dapr/') && request.method !== 'DELETE') process.stdout.write('got ' + url + '\\n')
    response.setHeader('content-type', 'application/json')
    const config = url === '/dapr/config' ? {entities: ['Cart']} : {}
    const topics = [{pubsubname: 'pubsub', topic: 'news', route: '/news'}]
    response.end(JSON.stringify(url === '/dapr/subscribe' ? topics : config))
  })
}).listen(Number(process.env.APP_PORT), '127.0.0.1')
`

t.test('calls that come at the moment at which an app falls asleep are answered, each once', async t => {
  const rig = await openRig(t)
  const [port, own] = [await freePort(), await freePort()]
  await rig.write({
    'app.mjs': APP,
    'resources/pubsub.yaml':
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: pubsub}\nspec: {type: pubsub.in-memory, version: v1}\n'
  })
  await rig.template(
    [
      {
        appID: 'stock',
        port: own,
        daprHTTPPort: port,
        command: ['node', '../app.mjs'],
        lazy: true,
        idleTimeout: `${IDLE_MS}ms`
      },
      {appID: 'shop', command: ['sleep', '100000']}
    ],
    {resourcesPath: './resources'}
  )
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Started Dapr with app id "shop"')
  const ways = [
    async (n: number) => fetch(`http://127.0.0.1:${port}/v1.0/invoke/stock/method/invoked/${n}`),
    async (n: number) => fetch(`http://127.0.0.1:${own}/plain/${n}`),
    async (n: number) =>
      fetch(`http://127.0.0.1:${port}/v1.0/actors/Cart/1/method/turn-${n}`, {method: 'PUT', body: '{}'}),
    async (n: number) =>
      fetch(`http://127.0.0.1:${port}/v1.0/publish/pubsub/news`, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: `{"n": ${n}}`
      })
  ]
  const failed: string[] = []
  for (let n = 0; n < CALLS; n++) {
    const answer = await ways[n % ways.length]?.(n)
    const text = await answer?.text()
    if (answer === undefined || answer.status >= 300) failed.push(`${n}: ${answer?.status} ${text}`)
    await pause(IDLE_MS - SPREAD_MS + Math.random() * 2 * SPREAD_MS)
  }
  t.same(failed, [])
  await run.waitForLine('got ', {nth: CALLS})
  const got = run.stdout.lines.flatMap(line => /got (\S+)/.exec(line)?.[1] ?? [])
  const events = got.filter(url => url === '/news').length
  t.equal(events, Math.floor(CALLS / ways.length), 'as many events as were published')
  t.equal(new Set(got).size, CALLS - events + 1, 'none is lost, none comes twice')
  t.equal(got.length, CALLS)
})
