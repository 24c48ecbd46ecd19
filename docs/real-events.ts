// Takes one event of each type from a real run of the built program, for docs/events.md.
import {spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {request, type IncomingMessage} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

interface RealEvent {
  readonly id?: number
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

const PILLION = join(import.meta.dirname, '../bin/pillion.js')

const APP = `
import http from 'node:http'
http.createServer((request, response) => {
  if (request.url === '/die') {
    console.error("TypeError: Cannot read properties of null (reading 'price')")
    process.exit(1)
  }
  if (request.url === '/flood') for (let n = 0; n < 40_000; n++) console.log('line ' + n)
  console.log('answered ' + request.url)
  response.setHeader('content-type', 'application/json')
  response.end('{"price":12.5}')
}).listen(process.env.APP_PORT)
`

const TEMPLATE = `version: 1
apps:
  - {appID: shop, appDirPath: shop, autoPort: true, watch: true, dependsOn: [stock], command: [node, app.mjs]}
  - {appID: stock, appDirPath: stock, autoPort: true, restart: always, command: [node, app.mjs]}
  - {appID: news, appDirPath: stock, autoPort: true, lazy: true, idleTimeout: 300ms, command: [node, app.mjs]}
`

/** The first event of each type that is worth showing. */
const WANTED: Readonly<Record<string, (data: Readonly<Record<string, unknown>>) => boolean>> = {
  app: ({id, state, isReady}) => id === 'stock' && state === 'running' && isReady === true,
  calls: ({calls}) => (calls as readonly {path: string}[]).some(({path}) => path.startsWith('/items')),
  lines: ({notShown}) => Number(notShown) > 0,
  edges: ({edges}) => (edges as readonly unknown[]).length > 0,
  fault: ({change}) => change === 'on',
  troubles: ({troubles}) => (troubles as readonly unknown[]).length > 0,
  workflow: ({what}) => what === 'terminated',
  replay: ({outcome}) => outcome !== 'refused'
}

/** Resolves with the head of a response. */
const asked = async (socketPath: string, path: string, method = 'GET', body = ''): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {accept: 'application/x-ndjson', 'content-type': 'application/json'}
    request({socketPath, path: `/api/v1${path}`, method, headers, agent: false}, resolve)
      .on('error', reject)
      .end(body)
  })

async function* eventsOf(response: IncomingMessage): AsyncGenerator<RealEvent, undefined> {
  let rest = ''
  for await (const piece of response.setEncoding('utf8')) {
    const lines = (rest + (piece as string)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield JSON.parse(line) as RealEvent
  }
  return undefined
}

/** By type; long lists have their first entry alone. */
export async function realEvents(): Promise<Readonly<Record<string, RealEvent>>> {
  const home = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  const folder = join(home, 'shop')
  mkdirSync(folder)
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    PILLION_RUNTIME_DIR: join(home, 'run'),
    PILLION_WORK: 'memory',
    PILLION_NAMES: '0'
  }
  writeFileSync(join(folder, 'dapr.yaml'), TEMPLATE)
  for (const id of ['shop', 'stock']) {
    mkdirSync(join(folder, id))
    writeFileSync(join(folder, id, 'app.mjs'), APP)
  }
  const run = spawn(process.execPath, [PILLION, 'up', '--watch'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const exited = new Promise(resolve => run.once('exit', resolve))
  const found: Record<string, RealEvent> = {}
  const news = new Map<string, () => void>()
  const keep = (event: RealEvent): void => {
    if (found[event.type] !== undefined || WANTED[event.type]?.(event.data) === false) return
    found[event.type] = event
    news.get(event.type)?.()
  }
  const seen = async (type: string): Promise<void> => {
    if (found[type] !== undefined) return
    await new Promise<void>((resolve, reject) => {
      news.set(type, resolve)
      AbortSignal.timeout(60_000).onabort = () => reject(new Error(`there was no event ${type} in a minute`))
    })
  }
  try {
    await new Promise<void>(resolve => {
      let text = ''
      run.stdout.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
        if (text.includes('"shop"') && text.includes('"stock"')) resolve()
      })
    })
    const [name = ''] = readdirSync(env.PILLION_RUNTIME_DIR)
    const socket = join(env.PILLION_RUNTIME_DIR, name, 'socket')
    const done = async (path: string, method?: string, body?: string): Promise<void> => {
      for await (const _piece of await asked(socket, path, method, body)) continue
    }
    await done('/wait', 'POST', '{"for": ["ready"]}')
    const follow = async (path: string): Promise<void> => {
      for await (const event of eventsOf(await asked(socket, path))) keep(event)
    }
    const following = follow('/events')
    await seen('hello')
    const [{httpPort = 0} = {}] = found['hello']?.data['apps'] as readonly {httpPort: number}[]
    const call = async (path: string, app = 'stock'): Promise<void> => {
      await (await fetch(`http://127.0.0.1:${httpPort}/v1.0/invoke/${app}/method${path}`)).text()
    }
    await call('/items?token=abc')
    for (const type of ['calls', 'edges']) await seen(type)
    await call('/today', 'news')
    for (const type of ['woken', 'asleep']) await seen(type)
    void follow('/events?after=1')
    await seen('reset')
    await done('/faults', 'POST', '{"from": "shop", "to": "stock", "path": "/prices", "status": 503, "rate": 0.5}')
    await seen('fault')
    await done('/workflows', 'POST', '{"app": "shop", "name": "order", "id": "o-17"}')
    await done('/workflow/terminate', 'POST', '{"id": "o-17"}')
    await seen('workflow')
    await done('/calls/1/replay', 'POST', '{}')
    await seen('replay')
    writeFileSync(join(folder, 'shop/app.mjs'), `${APP}\n`)
    await seen('reload')
    await call('/die')
    for (const type of ['death', 'troubles', 'app']) await seen(type)
    await seen('note')
    await done('/wait', 'POST', '{"for": ["ready"]}')
    const slow = await asked(socket, '/events?types=lines')
    for (let n = 0; n < 20; n++) {
      await call('/flood')
      await new Promise(resolve => setTimeout(resolve, 260))
    }
    for await (const event of eventsOf(slow)) {
      keep(event)
      if (event.type === 'dropped') break
    }
    run.kill('SIGINT')
    await following
    await exited
  } finally {
    run.kill('SIGTERM')
    await exited
  }
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(found).map(([type, event]) => [type, shortened(event)]))
  )
  rmSync(home, {recursive: true})
  return JSON.parse(text.replaceAll(home, '/home/me')) as Record<string, RealEvent>
}

function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shortened)
  if (typeof value === 'number') return Math.round(value * 1000) / 1000
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shortened(each)]))
}
