import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {recordedCalls} from '../rig/control-socket.ts'
import {freePorts} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {Numbered} from '../e2e/numbered.ts'

/** Calls the next app for each request, a moment later. */
const CALLER = `
import {createServer} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
createServer(async (request, response) => {
  await pause(200)
  const answer = await fetch(process.env.NEXT + request.url)
  response.writeHead(answer.status).end(await answer.text())
}).listen(process.env.PORT, '127.0.0.1')
`

/** Listens once the file GATE exists. */
const CALLEE = `
import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('content-length', '2')
        self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *_): pass
ThreadingHTTPServer.request_queue_size = 128 # beyond Python's 5 a connection waits 1 s for its next SYN
while not os.path.exists(os.environ['GATE']): time.sleep(0.02)
ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`

/** Time that calls in flight have to finish. The callee needs longer. */
const GRACE_MS = 1000

interface Pair {
  readonly rig: Rig
  readonly run: Program
  readonly port: number
  readonly close: () => Promise<void>
  readonly open: () => Promise<void>
}

/** Starts `web`, which calls `stock` at its port; `stock` listens while the gate is open. */
async function openPair(t: Test, stock: object = {}, hasFront = false): Promise<Pair> {
  const rig = await openRig(t)
  const [port = 0, next = 0, front = 0] = await freePorts(3)
  await rig.write({'web/web.mjs': CALLER, 'stock/stock.py': CALLEE, gate: '', '.env': 'A=1\n'})
  const common = {envFile: '../.env', stop: {timeout: `${GRACE_MS}ms`}}
  const apps = [
    {appID: 'web', port, env: {NEXT: `http://127.0.0.1:${next}`}, command: ['node', 'web.mjs']},
    {appID: 'stock', port: next, env: {GATE: join(rig.folder, 'gate')}, command: ['python3', 'stock.py'], ...stock}
  ]
  const first = {
    appID: 'front',
    port: front,
    env: {NEXT: `http://127.0.0.1:${port}`},
    command: ['node', '../web/web.mjs']
  }
  await rig.template(hasFront ? [first, ...apps] : apps, common)
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  return {
    rig,
    run,
    port: hasFront ? front : port,
    close: async () => rm(join(rig.folder, 'gate')),
    open: async () => rig.write({gate: ''})
  }
}

/** Waits until `stock` has a call that is not answered. */
async function underWay(rig: Rig): Promise<void> {
  while ((await recordedCalls(rig, 'is:open to:stock')).length === 0);
}

const calls = (port: number): Numbered =>
  new Numbered({port, path: '/', method: 'GET', keepsAlive: true, perSecond: 20, bytes: 0})

/** The callee listens later than the grace of its caller. */
async function losesNone(t: Test, {run, open}: Pair, traffic: Numbered, app: string): Promise<void> {
  await pause(2 * GRACE_MS)
  await open()
  await run.waitForLine(`${app}: reloaded`)
  const {failed, sent} = await traffic.end()
  t.same(failed, [])
  t.ok(sent > 0)
}

t.test('a caller that reloads while its callee starts loses no call, however long that takes', async t => {
  const pair = await openPair(t)
  const {rig, port, close} = pair
  const traffic = calls(port)
  await close()
  await rig.write({'stock/version.txt': '1'})
  await underWay(rig)
  await rig.write({'web/version.txt': '1'})
  await losesNone(t, pair, traffic, 'web')
})

t.test('apps that reload together for an .env that they share lose no call', async t => {
  const pair = await openPair(t)
  const {rig, port, close} = pair
  const traffic = calls(port)
  await close()
  await rig.write({'.env': 'A=2\n'})
  await losesNone(t, pair, traffic, 'web')
})

t.test('a caller waits for a callee that waits for the next one', async t => {
  const pair = await openPair(t, {}, true)
  const {rig, port, close} = pair
  const traffic = calls(port)
  await close()
  await rig.write({'stock/version.txt': '1'})
  await underWay(rig)
  await rig.write({'front/version.txt': '1'})
  await losesNone(t, pair, traffic, 'front')
})

t.test('the answer to a call that a reload cuts names the reload and the time', async t => {
  const {rig, port} = await openPair(t, {
    command: ['node', '-e', `require('node:http').createServer(() => {}).listen(process.env.PORT)`]
  })
  const answer = fetch(`http://127.0.0.1:${port}/`)
  await underWay(rig)
  await rig.write({'stock/version.txt': '1'})
  t.match(await (await answer).text(), /reload 1 of "stock" cut this call after [\d.]+ s/)
})
