import {EventEmitter, once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {createServer} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import t from 'tap'
import {clientOf} from '../../../src/control/client.ts'
import type {LeaseSearch} from '../../../src/control/sidecar-leases.ts'
import {FarWork} from '../../../src/run/far-work.ts'

t.test('other runs that cannot be searched now are none, and end nothing', async () => {
  const asked = Promise.withResolvers<void>()
  const search = {
    candidates: async () => Promise.reject(new Error('the folder of runs cannot be read'))
  } as unknown as LeaseSearch
  const workflows = {
    connectRun: () => () => undefined,
    completeFar: async () => Promise.resolve(),
    missing: () => {
      asked.resolve()
      return false
    }
  }
  const far = new FarWork(search, () => ({name: undefined}), workflows)
  far.want('bank')
  await asked.promise
  far.close()
})

t.test(
  'what is asked of another run comes in its order: the next batch waits until it has taken the one before',
  async t => {
    const folder = mkdtempSync(join(tmpdir(), 'far-')) // the path of a socket is short
    t.teardown(() => rmSync(folder, {recursive: true}))
    const path = join(folder, 'socket')
    const taken: string[][] = []
    const came = new EventEmitter()
    const server = createServer((request, response) => {
      if (request.url?.endsWith('/tasks') !== true) return void response.end('{}')
      if (request.method === 'GET') return void response.write('{"guest":"g"}\n')
      void text(request).then(body => {
        taken.push((JSON.parse(body) as {readonly items: string[]}).items)
        return came.emit('batch', () => response.end('{}'))
      })
    })
    await once(server.listen(path), 'listening')
    t.teardown(() => server.close(() => undefined).closeAllConnections())
    const connected = Promise.withResolvers<(item: Uint8Array) => void>()
    const search = {
      candidates: async () => Promise.resolve([{path}]),
      within: async (_: string, ask: (signal: AbortSignal) => unknown) => ask(new AbortController().signal)
    } as unknown as LeaseSearch
    const far = new FarWork(search, () => ({name: undefined}), {
      connectRun: (_, {send}) => {
        connected.resolve(send)
        return () => undefined
      },
      completeFar: async () => Promise.resolve(),
      missing: () => false
    })
    t.teardown(() => far.close())
    far.want('bank')
    const send = await connected.promise
    const [first] = [once(came, 'batch'), send(Buffer.from('begin'))] as const
    const [answer] = (await first) as [() => void]
    const second = once(came, 'batch')
    send(Buffer.from('more'))
    await new Promise(setImmediate)
    send(Buffer.from('end'))
    await new Promise(setImmediate)
    await clientOf(path).ask('GET /apps')
    t.strictSame(taken, [['YmVnaW4=']])
    answer()
    await second
    t.strictSame(taken[1], ['bW9yZQ==', 'ZW5k'])
  }
)
