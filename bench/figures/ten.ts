import {readFile, readlink} from 'node:fs/promises'
import {once} from 'node:events'
import {createServer, type AddressInfo, type Socket} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Rig} from '../../test/rig/rig.ts'
import {descendantsOf, tracesCarrying} from '../../test/rig/traces.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {OURS, SUPERVISORS, type Entry, type Setup} from '../supervisors.ts'
import {echoServer, freePorts, ownNode, withRig} from '../tools.ts'

const APPS = 10
const CALM_MS = 1000

const KINDS = {listen: 'ms', memory: 'MB', stop: 'ms'} as const
type Kind = keyof typeof KINDS
type Numbers = Readonly<Record<Kind, number>>

/** Ten compiled servers under one supervisor after the other: until all listen, the memory of the supervisor, until all have ended. */
export const ten: Figure = {
  name: 'ten',
  needs: ['go'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const server = await echoServer()
      const replaced = await ownNode(rig)
      const ready = await listener()
      const ports = await freePorts(APPS)
      const entries = ports.map((port, n): Entry => {
        const env = {APP_ID: `app-${n}`, APP_PORT: port.toString(), READY: ready.address}
        return {id: `app-${n}`, command: [server], env}
      })
      const setups = new Map<string, Setup | undefined>([['ours', OURS(rig.program, entries)]])
      for (const {name, setup} of SUPERVISORS) setups.set(name, await setup(entries, join(rig.folder, name)))
      const results = await inRounds(rounds + 1, async () => {
        const done = new Map<string, Numbers>()
        for (const [name, setup] of setups)
          if (setup !== undefined) done.set(name, await roundOf(rig, {name, setup, replaced, server, ready}))
        return done
      })
      ready.close()
      const counted = results.slice(1) // the first one warms the disk's cache
      const column = (name: string, kind: Kind): readonly number[] =>
        counted.flatMap(done => done.get(name)?.[kind] ?? [])
      return (['listen', 'memory', 'stop'] as const).flatMap(kind =>
        SUPERVISORS.map(({name}): Measure => {
          const ours = column('ours', kind)
          return {name: `ten apps: ${kind}`, unit: KINDS[kind], ours, peer: column(name, kind), peerName: name}
        })
      )
    })
}

interface Round {
  readonly name: string
  readonly setup: Setup
  readonly replaced: (command: readonly string[]) => readonly string[]
  readonly server: string
  readonly ready: Listener
}

async function roundOf(rig: Rig, {name, setup, replaced, server, ready}: Round): Promise<Numbers> {
  await rig.write({[`${name}/.keep`]: ''})
  await rig.write(Object.fromEntries(Object.entries(setup.files).map(([file, text]) => [`${name}/${file}`, text])))
  const begin = performance.now()
  const program = rig.start(replaced(setup.command), {folder: name, env: setup.env ?? {}})
  const failed = program.exited.then(() => {
    throw new Error(program.report())
  })
  failed.catch(() => undefined)
  await Promise.race([ready.count(APPS), failed])
  const listen = performance.now() - begin
  await pause(CALM_MS)
  const memory = await memoryOf(rig, program.pid, server)
  const stopping = performance.now()
  program.signal('SIGTERM')
  await Promise.all([ready.count(0), program.exited])
  return {listen, memory, stop: performance.now() - stopping}
}

/** Proportional memory, in MB, of all that the rig has started but the servers. */
async function memoryOf(rig: Rig, pid: number, server: string): Promise<number> {
  const below = descendantsOf(pid)
  const marked = tracesCarrying(rig.marker)
  const pids = new Set([pid, ...[...below, ...marked].map(trace => trace.pid)])
  const sizes = await Promise.all(
    [...pids].map(async each => {
      const file = await readlink(`/proc/${each}/exe`).catch(() => '')
      const text = file === server ? '' : await readFile(`/proc/${each}/smaps_rollup`, 'utf8').catch(() => '')
      return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
    })
  )
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6
}

/** Where servers connect once they listen, and stay connected until they end. */
interface Listener {
  readonly address: string
  /** Settles when so many are connected. */
  readonly count: (wanted: number) => Promise<void>
  readonly close: () => void
}

async function listener(): Promise<Listener> {
  const connected = new Set<Socket>()
  let changed = Promise.withResolvers<void>()
  const change = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const server = createServer(socket => {
    connected.add(socket)
    change()
    socket
      .on('error', () => undefined)
      .on('close', () => {
        connected.delete(socket)
        change()
      })
    socket.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: async wanted => {
      while (connected.size !== wanted) await changed.promise
    },
    close: () => server.close()
  }
}
