import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import net from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {register} from '../../../../src/control/server.ts'
import {listenForPages} from '../../../../src/observe/dashboard/listener.ts'
import {PageGuard} from '../../../../src/proxy/gateway/page-guard.ts'
import {openMetricsPort} from '../../../../src/dapr/sidecar/ports.ts'
import {freePort} from '../../../rig/free-port.ts'
import {answerAfterAll} from '../../../rig/early-answer.ts'

const serve = async (): Promise<void> => Promise.reject(new Error('nothing comes as far as this'))
const isAllowedHost = (host: string): boolean => host === 'localhost'

type Opened = {readonly to: number | string; readonly host: string}

/** Listeners besides those of sidecars, each of which refuses a request before it has read it. */
const LISTENERS: Readonly<
  Record<string, {readonly open: (t: Test) => Promise<Opened>; readonly heads: readonly string[]}>
> = {
  'the page of a run': {
    open: async t => {
      const tokens = {full: 'full', readOnly: 'half'}
      const listener = await listenForPages('x', await freePort(), tokens, serve)
      t.teardown(() => listener.close())
      return {to: listener.port, host: `localhost:${listener.port}`}
    },
    heads: [
      'POST /api/v1/apps/x/stop HTTP/1.1',
      'POST /api/v1/apps/x/stop HTTP/1.1\r\nAuthorization: Bearer full\r\nContent-Type: application/json'
    ]
  },
  "a run's own socket": {
    open: async t => {
      const folder = await mkdtemp(join(tmpdir(), 'early-'))
      const about = {marker: '0123456789abcdef0123456789abcdef', graceMs: 1000}
      const run = await register(folder, about, async (_, response) => {
        response.writeHead(404).end('nothing')
        return Promise.resolve()
      })
      t.teardown(async () => {
        await run.withdraw()
        await rm(folder, {recursive: true})
      })
      return {to: join(folder, '01234567', 'socket'), host: 'run'}
    },
    heads: ['POST /api/v1/nothing HTTP/1.1\r\nConnection: close']
  },
  'the metrics port': {
    open: async t => {
      const server = net.createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const {port} = server.address() as net.AddressInfo
      const opened = openMetricsPort([server], async () => Promise.resolve('up 1'), {
        isAllowedHost,
        pages: new PageGuard([]),
        warn: () => undefined
      })
      t.teardown(() => opened.destroy())
      return {to: port, host: 'evil.example'}
    },
    heads: [
      'POST /metrics HTTP/1.1\r\nConnection: close',
      'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket'
    ]
  }
}

for (const [name, {open, heads}] of Object.entries(LISTENERS))
  t.test(`${name}: who sends all before reading gets the whole answer`, async t => {
    const {to, host} = await open(t)
    for (const head of heads)
      for (const framing of ['length', 'chunks'] as const)
        t.match(
          await answerAfterAll({to, head: `${head}\r\nHost: ${host}`, framing}),
          /^HTTP\/1.1 4\d\d .*\r\nconnection: close\r\n(?:.*\r\n)?\r\n./is
        )
  })
