import {once} from 'node:events'
import {existsSync} from 'node:fs'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Browser, Page, Request} from 'playwright-core'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type TemplateApp} from '../rig/rig.ts'
import {withBrowser} from './browser.ts'

/** Counts the requests that reach it. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
let count = 0
createServer((request, response) => {
  response.setHeader('access-control-allow-origin', '*')
  if (request.url === '/count') return response.end(String(count))
  if (request.url === '/dapr/subscribe') return response.end('[{"pubsubname":"pubsub","topic":"orders","route":"/orders"}]')
  if (request.url.startsWith('/dapr/') || request.method === 'OPTIONS') return response.writeHead(404).end()
  count++
  response.end('ok')
}).on('upgrade', (request, socket) => (count++, socket.destroy())).listen(process.env.APP_PORT, '127.0.0.1')
`

/** A gateway: passes all requests on to the sidecar, with the headers of the browser. */
const GATEWAY = `
import {createServer, request as ask} from 'node:http'
createServer((request, response) => {
  const {host, ...headers} = request.headers
  const options = {host: '127.0.0.1', port: process.env.DAPR_HTTP_PORT, method: request.method, path: request.url, headers}
  request.pipe(ask(options, answer => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  }))
}).on('upgrade', (request, socket) => socket.destroy()).listen(process.env.APP_PORT, '127.0.0.1')
`

/** What a page can send without a preflight, and without reading the answer. */
const SENDS: readonly (readonly [name: string, script: string])[] = [
  ['a call by fetch', "fetch(base + '/v1.0/invoke/shop/method/pay', {method: 'POST', mode: 'no-cors', body: 'x'})"],
  ['a call by a GET', "fetch(base + '/v1.0/invoke/shop/method/pay', {mode: 'no-cors'})"],
  ['a call by an image', "Object.assign(new Image(), {src: base + '/v1.0/invoke/shop/method/pay'}).decode()"],
  ['a beacon', "navigator.sendBeacon(base + '/v1.0/invoke/shop/method/pay', 'x')"],
  [
    'state',
    `fetch(base + '/v1.0/state/statestore', {method: 'POST', mode: 'no-cors', body: '[{"key":"k","value":"evil"}]'})`
  ],
  ['an event', "fetch(base + '/v1.0/publish/pubsub/orders', {method: 'POST', mode: 'no-cors', body: '{}'})"],
  [
    'a file by a binding',
    `fetch(base + '/v1.0/bindings/files', {method: 'POST', mode: 'no-cors', body: '{"operation":"create","data":"evil","metadata":{"fileName":"evil.txt"}}'})`
  ],
  [
    'a websocket',
    "new Promise(r => (new WebSocket(base.replace('http', 'ws') + '/v1.0/invoke/shop/method/pay').onclose = r))"
  ],
  [
    'a form',
    "new Promise(r => { const f = document.createElement('form'); f.method = 'POST'; f.action = base + '/v1.0/invoke/shop/method/pay'; f.target = 'answers'; document.querySelector('iframe').onload = r; document.body.append(f); f.submit() })"
  ]
]

/** The gateway takes no upgrades, and events of a broker in memory stay with the app that publishes them. */
const NOT_BY_GATEWAY = ['a websocket', 'an event']

const COMPONENTS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: statestore}
spec: {type: state.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec: {type: pubsub.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: files}
spec:
  type: bindings.localstorage
  version: v1
  metadata: [{name: rootPath, value: ./files}]
`

/** A page of another origin. Its name stands for this machine: Chromium alone keeps pages of the internet from loopback, other browsers do not. */
async function pageOf(t: Test, browser: Browser): Promise<Page> {
  const server = http.createServer((_, response) => {
    response.writeHead(200, {'content-type': 'text/html'}).end('<body><iframe name="answers"></iframe>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const page = await browser.newPage()
  t.teardown(async () => {
    await page.close()
    server.close()
  })
  await page.goto(`http://evil.example:${port}/`)
  return page
}

const baseOf = (port: number): string => `http://127.0.0.1:${port}`

const node = (file: string): Partial<TemplateApp> => ({
  appDirPath: '.',
  autoPort: true,
  resourcesPaths: ['./resources'],
  command: [process.execPath, file]
})

async function openShop(t: Test, more: Readonly<Record<string, unknown>>) {
  const [gatewayPort, metricsPort] = [await freePort(), await freePort()]
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP, 'gateway.mjs': GATEWAY, 'resources/all.yaml': COMPONENTS})
  await rig.template(
    [
      {...node('app.mjs'), appID: 'shop', metricsPort},
      {...node('gateway.mjs'), appID: 'gateway', autoPort: false, appPort: gatewayPort}
    ],
    {},
    more
  )
  const run = rig.pillion(['run', '-f', '.'])
  const {http: port, grpc} = await run.ports('shop')
  await rig.run(['wait', '--for', 'ready'])
  return {rig, base: baseOf(port), gateway: baseOf(gatewayPort), ports: {http: port, grpc, metrics: metricsPort}}
}

/** Whether there is, at one of so many looks, something else than before: events arrive behind their answers. */
async function changes(seen: () => Promise<string>, before: string, looks: number): Promise<boolean> {
  for (let i = 0; i < looks; i++) {
    if ((await seen()) !== before) return true
    await pause(50)
  }
  return false
}

/** It is waited for by its own end: that of an earlier request may come late. */
const isBeacon = (request: Request): boolean => request.resourceType() === 'ping'

/** What has arrived of what a page has sent. */
async function arrivals(
  t: Test,
  browser: Browser,
  more: Readonly<Record<string, unknown>>,
  isByGateway = false
): Promise<readonly string[]> {
  const {rig, base, gateway} = await openShop(t, more)
  const target = isByGateway ? gateway : base
  const page = await pageOf(t, browser)
  const at = async (path: string): Promise<string> => (await fetch(base + path)).text()
  const seen = async (): Promise<string> =>
    [
      await at('/v1.0/invoke/shop/method/count'),
      await (await fetch(`${target}/v1.0/state/statestore/k`)).text(),
      existsSync(join(rig.folder, 'files/evil.txt'))
    ].join()
  const arrived: string[] = []
  for (const [name, script] of SENDS) {
    const before = await seen()
    const answered = name === 'a beacon' ? page.waitForEvent('requestfinished', isBeacon) : undefined
    await page.evaluate(`(async () => { const base = '${target}'; await ${script} })().catch(() => undefined)`)
    await answered
    if (await changes(seen, before, name === 'an event' ? 20 : 1)) arrived.push(name)
  }
  return arrived
}

/** What a page whose name now means this machine asks the port that it was served from. */
const ASKED: readonly (readonly [name: string, script: string])[] = [
  ['GET', 'fetch(path).then(answer => answer.status)'],
  [
    'POST',
    "fetch(path, {method: 'POST', headers: {'content-type': 'application/json'}, body: '[]'}).then(answer => answer.status)"
  ],
  [
    'a websocket',
    "new Promise(r => { const s = new WebSocket(path); s.onopen = () => r(101); s.onerror = () => r('none') })"
  ]
]

const refused = (status: number | 'none') => ({GET: status, POST: status, 'a websocket': 'none'})

/** Opens a page of `evil.example` at a port, as if its own server had answered there, and lets it ask what answers there now. */
async function asRebound(browser: Browser, port: number, path: string): Promise<Readonly<Record<string, unknown>>> {
  const page = await browser.newPage()
  const url = `http://evil.example:${port}/`
  await page.route(url, async route => route.fulfill({contentType: 'text/html', body: '<p>evil'}))
  await page.goto(url)
  await page.unroute(url)
  const told: Record<string, unknown> = {}
  for (const [name, script] of ASKED)
    told[name] = await page.evaluate(
      `(async () => { const path = '${path}'; return await ${script} })().catch(() => 'none')`
    )
  await page.close()
  return told
}

t.test('a page of another origin', async t =>
  withBrowser(
    t,
    async browser => {
      await t.test('sends nothing that arrives', async t => t.strictSame(await arrivals(t, browser, {}), []))
      await t.test('is served by a gateway, as its app decides', async t =>
        t.strictSame(
          await arrivals(t, browser, {}, true),
          SENDS.map(([name]) => name).filter(name => !NOT_BY_GATEWAY.includes(name))
        )
      )
      await t.test('whose name comes to mean this machine is refused at each port', async t => {
        const {rig, ports} = await openShop(t, {})
        const {stdout} = await rig.run(['dashboard', '--no-open'])
        const dashboard = Number(new URL(/http:\S+/.exec(stdout)?.[0] ?? '').port)
        const call = '/v1.0/invoke/shop/method/pay'
        t.strictSame(await asRebound(browser, ports.http, call), refused(403), 'a sidecar')
        t.strictSame(await asRebound(browser, ports.http, '/v1.0/state/statestore'), refused(403), 'its state')
        t.strictSame(await asRebound(browser, ports.http, '/v1.0/metadata'), refused(403), 'its metadata')
        t.strictSame(
          await asRebound(browser, ports.grpc, '/dapr.proto.runtime.v1.Dapr/GetState'),
          refused('none'),
          'gRPC'
        )
        t.strictSame(await asRebound(browser, ports.metrics, '/metrics'), refused(403), 'metrics')
        t.strictSame(await asRebound(browser, dashboard, '/api/v1/run'), refused(421), 'the dashboard')
        t.strictSame(await asRebound(browser, dashboard, '/'), refused(421), 'its page')
      })
      await t.test('and could send all of this', async t =>
        t.strictSame(
          await arrivals(t, browser, {allowedOrigins: ['*']}),
          SENDS.map(([name]) => name)
        )
      )
    },
    [
      '--host-resolver-rules=MAP evil.example 127.0.0.1',
      // as in browsers that have no such guard of their own
      '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,BlockInsecurePrivateNetworkRequests'
    ]
  )
)
