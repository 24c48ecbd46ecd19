import type * as Api from '../../src/model/api.generated.ts'
import http from 'node:http'
import type {Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

/** Counts the requests of callers that reach it; `/hold` gets no answer, `/slow` two pieces. */
const CALLEE = `
const http = process.getBuiltinModule('node:http')
let count = 0
http.createServer((request, response) => {
  if (request.url === '/count') return response.end(String(count))
  if (request.url.startsWith('/dapr/')) return response.writeHead(404).end()
  count++
  if (request.url === '/hold') return
  if (request.url === '/pieces') return response.write('one two three', () => setImmediate(() => response.end(' four')))
  response.end('0123456789')
}).listen(process.env.APP_PORT)
`

const POLICIES = `
kind: Resiliency
metadata: {name: shop}
spec:
  policies:
    timeouts: {short: 300ms}
    retries: {again: {policy: constant, duration: 1ms, maxRetries: 2}}
  targets: {apps: {stock: {retry: again, timeout: short}}}
`

const SHOP = {appID: 'shop', appDirPath: '.', command: ['sleep', '600']}
const STOCK = {appID: 'stock', appDirPath: '.', autoPort: true, restart: 'always', command: ['node', 'callee.mjs']}

export interface Scene {
  readonly rig: Rig
  readonly run: ReturnType<Rig['pillion']>
  readonly url: (path: string) => string
  readonly fault: (...words: readonly string[]) => Promise<void>
  readonly rows: (filter: string) => Promise<readonly Api.Call[]>
}

/** A run of `shop`, which calls, and `stock`. */
export async function openShop(t: Test, template: object = {}): Promise<Scene> {
  const rig = await openRig(t)
  await rig.write({
    'callee.mjs': CALLEE,
    'resources/policies.yaml': POLICIES,
    'dapr.yaml': JSON.stringify({version: 1, apps: [SHOP, STOCK], ...template})
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http: port} = await run.ports('shop')
  return {
    rig,
    run,
    url: path => `http://127.0.0.1:${port}/v1.0/invoke/stock/method${path}`,
    fault: async (...words) => {
      const {code, stderr} = await rig.run(['fault', ...words])
      t.strictSame([code, stderr], [0, ''])
    },
    rows: async filter =>
      (await rig.run(['calls', filter, '-o', 'ndjson'])).stdout
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Api.Call)
  }
}

export type Outcome =
  | {readonly status: number; readonly body: string; readonly mark: string | undefined}
  | {readonly error: string; readonly status?: number; readonly body?: string}

/** One request on a connection of its own: what came, up to the point at which it broke off. */
export const ask = async (url: string, method = 'GET'): Promise<Outcome> =>
  new Promise(resolve => {
    const request = http.request(url, {method, agent: false}, response => {
      const {statusCode: status = 0} = response
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (piece: string) => (body += piece))
        .on('end', () => resolve({status, body, mark: response.headers['pillion-fault'] as string | undefined}))
        .on('error', error => resolve({status, body, error: (error as NodeJS.ErrnoException).code ?? ''}))
    })
    request.on('error', error => resolve({error: (error as NodeJS.ErrnoException).code ?? ''}))
    request.end(method === 'POST' ? 'body' : undefined)
  })
