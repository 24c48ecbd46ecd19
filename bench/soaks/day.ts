import {appendFile, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import grpc from '@grpc/grpc-js'
import {EchoClient} from '../../test/integration/dapr/sidecar/grpc/echo-client.ts'
import type {Soak} from './soak.ts'

const GRPC_APP = join(import.meta.dirname, '../../test/fixtures/apps/grpc-kinds.mjs')
const CALLS = 400
const GRPC_CALLS = 200
const EVENTS = 60
const VALUES = 60
/** More than thirty restarts in a minute are a storm. */
const SAVE_EVERY_MS = 4000

/** It sends back what it gets, and notes its events in a file, which outlives its processes. */
const STOCK = `import {appendFileSync} from 'node:fs'
import {createServer} from 'node:http'
createServer((request, response) => {
  if (request.url === '/dapr/config') response.statusCode = 404
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    if (request.url === '/dapr/subscribe')
      return response.end(JSON.stringify([{pubsubname: 'bus', topic: 'orders', route: '/event'}]))
    if (request.url === '/event') appendFileSync('../events', JSON.parse(body).data.number + '\\n')
    response.end(body)
  })
}).listen(process.env.APP_PORT, '127.0.0.1')
`

const component = (name: string, type: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: ${name}}\nspec: {type: ${type}, version: v1}\n`

/** A sidecar, as an app uses it: each answer must be the right one. */
class Sidecar {
  readonly #url: string

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/v1.0`
  }

  async post(path: string, body: unknown): Promise<string> {
    const headers = {'content-type': 'application/json'}
    return this.#answer(path, await fetch(this.#url + path, {method: 'POST', body: JSON.stringify(body), headers}))
  }

  async get(path: string): Promise<string> {
    return this.#answer(path, await fetch(this.#url + path))
  }

  async #answer(path: string, response: Response): Promise<string> {
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${text}`)
    return text
  }
}

const same = (what: string, got: string, wanted: string): void => {
  if (got !== wanted) throw new Error(`${what}: ${got} instead of ${wanted}`)
}

const worker = async (times: number, work: () => Promise<void>): Promise<void> => {
  for (let i = 0; i < times; i++) await work()
}

const linesOf = async (file: string): Promise<readonly string[]> => (await readFile(file, 'utf8')).split('\n')

/** What a run does in a day, all at once: calls, gRPC, events, state, and an app that reloads. Nothing of it may be lost. */
export const day: Soak = {
  name: 'day',
  open: async rig => {
    await rig.write({
      'stock/server.mjs': STOCK,
      'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
      'resources/store.yaml': component('store', 'state.in-memory')
    })
    await rig.template(
      [
        {appID: 'shop', command: []},
        {appID: 'stock', command: ['node', 'server.mjs'], autoPort: true, watch: true},
        {appID: 'echo', appProtocol: 'grpc', autoPort: true, command: ['node', GRPC_APP]}
      ],
      {resourcesPath: './resources'}
    )
    const program = rig.pillion(['run', '-f', '.'])
    const {http, grpc: grpcPort} = await program.ports('shop')
    await program.waitForLine('Writing log files', {nth: 3})
    const sidecar = new Sidecar(http)
    // what is published before the app has subscribed is for nobody, as in Dapr
    await rig.run(['wait', '--for', 'idle:500ms'])
    // events of this broker stay within one sidecar, as in Dapr
    const own = new Sidecar((await program.ports('stock')).http)
    const client = new EchoClient(`127.0.0.1:${grpcPort}`, grpc.credentials.createInsecure())
    const code = join(rig.folder, 'stock/server.mjs')
    let number = 0
    let events = 0
    let saves = 0
    let nextSave = performance.now()

    const called = async (): Promise<void> => {
      const body = {number: ++number}
      same('a call', await sidecar.post('/invoke/stock/method/echo', body), JSON.stringify(body))
    }
    const calledByGrpc = async (): Promise<void> => {
      const message = (++number).toString()
      const {answer} = await client.call({'dapr-app-id': 'echo'}, {message: Buffer.from(message)})
      same('a call of gRPC', answer, message)
    }
    const published = async (): Promise<void> => {
      await own.post('/publish/bus/orders', {number: ++events})
    }
    const kept = async (): Promise<void> => {
      const value = ++number
      const key = `key${value % 100}`
      await sidecar.post('/state/store', [{key, value}])
      same('state', await sidecar.get(`/state/store/${key}`), value.toString())
    }
    return {
      pid: program.pid,
      step: async () => {
        if (performance.now() >= nextSave) {
          nextSave = performance.now() + SAVE_EVERY_MS
          await appendFile(code, `// ${++saves}\n`)
        }
        await Promise.all([
          ...Array.from({length: 8}, async () => worker(CALLS / 8, called)),
          worker(GRPC_CALLS, calledByGrpc),
          worker(EVENTS, published),
          worker(VALUES, kept)
        ])
        return CALLS + GRPC_CALLS + EVENTS + 2 * VALUES
      },
      close: async () => {
        const wanted = events.toString()
        const file = join(rig.folder, 'events')
        while (!(await linesOf(file)).includes(wanted)) await new Promise(resolve => setTimeout(resolve, 50))
        const seen = new Set(await linesOf(file))
        const lost = Array.from({length: events}, (_, i) => (i + 1).toString()).filter(each => !seen.has(each))
        if (lost.length > 0) throw new Error(`${lost.length} of ${wanted} events were lost: ${lost.join(' ')}`)
        console.log(`${number} calls and values, ${wanted} events, ${saves} reloads: none lost`)
        client.close()
        program.signal('SIGTERM')
        await program.exited
      }
    }
  }
}
