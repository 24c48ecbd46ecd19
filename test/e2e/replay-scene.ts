import type * as Api from '../../src/model/api.generated.ts'
import type {Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

/** Counts what comes and tells it; `/die` ends it, `/hold` gets no answer until `/release`. `PRICE` stands for a number. */
export const STOCK = `
const http = process.getBuiltinModule('node:http')
let count = 0
let last = ''
const held = []
http.createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    if (request.url.startsWith('/dapr/')) return response.writeHead(404).end()
    if (request.url.startsWith('/die')) process.exit(3)
    if (request.url === '/seen') return response.end(String(count))
    if (request.url === '/release') return held.splice(0).forEach(each => each.end('held')), response.end('released')
    if (request.url === '/last') return response.end(JSON.stringify({count, last}))
    last = body
    count++
    if (request.url === '/hold') return held.push(response), console.log('held')
    const {'pillion-replay': replay = '', authorization = ''} = request.headers
    if (request.url.startsWith('/fail')) response.statusCode = 503
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({count, replay, authorization, body, price: PRICE}))
  })
}).listen(process.env.APP_PORT)
`

/** What differs in the bodies: times may differ on a busy machine. */
export const bodies = (view: Api.Replay | undefined): readonly Api.Replay['differences'][number][] =>
  view?.differences.filter(({what}) => what === 'body') ?? []

export interface Scene {
  readonly rig: Rig
  readonly run: ReturnType<Rig['pillion']>
  /** Of the caller's sidecar. */
  readonly port: number
  /** Calls stock as shop does. */
  readonly call: (path: string, init?: RequestInit) => Promise<string>
  readonly rows: (filter: string) => Promise<readonly Api.Call[]>
  /** The latest call that matches. */
  readonly numberOf: (filter: string) => Promise<number>
  readonly replay: (...words: readonly string[]) => Promise<readonly Api.Replay[]>
  /** Saves the code of stock. */
  readonly save: (price: string, code?: string) => Promise<void>
}

/** A run of `shop`, which calls, and `stock`, which is watched; `stock`: keys of its entry; `env`: of the run. */
export async function openShop(
  t: Test,
  stock: object = {},
  env: Readonly<Record<string, string>> = {}
): Promise<Scene> {
  const rig = await openRig(t)
  const save = async (price: string, code = STOCK): Promise<void> =>
    rig.write({'stock/stock.mjs': code.replace('PRICE', price)})
  await save('1')
  const apps = [
    {appID: 'shop', appDirPath: '.', command: ['sleep', '600']},
    {appID: 'stock', appDirPath: 'stock', autoPort: true, watch: true, command: ['node', 'stock.mjs'], ...stock}
  ]
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, apps})})
  const run = rig.pillion(['run', '-f', '.'], {env})
  const {http: port} = await run.ports('shop')
  const linesOf = async (words: readonly string[]): Promise<readonly string[]> =>
    (await rig.run(words)).stdout.split('\n').filter(Boolean)
  const rows = async (filter: string): Promise<readonly Api.Call[]> =>
    (await linesOf(['calls', filter, '-o', 'ndjson'])).map(line => JSON.parse(line) as Api.Call)
  return {
    rig,
    run,
    port,
    save,
    rows,
    call: async (path, init = {}) => {
      const url = `http://127.0.0.1:${port}/v1.0/invoke/stock/method${path}`
      return (await fetch(url, init)).text()
    },
    numberOf: async filter => {
      const row = (await rows(filter)).at(-1)
      if (row === undefined) throw new Error(`no call matches ${filter}`)
      return row.number
    },
    replay: async (...words) =>
      (await linesOf(['replay', ...words, '-o', 'json'])).map(line => JSON.parse(line) as Api.Replay)
  }
}
