import {readFile, readlink, rm} from 'node:fs/promises'
import {once} from 'node:events'
import {createServer, type AddressInfo, type Socket} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {orElse} from '../../src/model/or-else.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {descendantsOf, tracesCarrying} from '../../test/rig/traces.ts'
import {inRounds, type Figure, type Measure, type Scale} from '../figure.ts'
import {OURS, SUPERVISORS, type Entry, type Setup} from '../supervisors.ts'
import {startTen, writeTen} from '../ten.ts'
import {echoServer, freePorts, ownNode, withRig} from '../tools.ts'

const APPS = 10
const CALM_MS = 1000
/** Time after which a start or a stop counts as a hang. */
const HANGS_MS = 20_000

const KINDS = {listen: 'ms', memory: 'MB', stop: 'ms'} as const
type Kind = keyof typeof KINDS
type Numbers = Readonly<Record<Kind, number>>

export const ten: Figure = {
  name: 'ten',
  title: 'Ten apps',
  what: 'Ten copies of a small Go server. From the start of the tool until all ten listen; proportional memory (PSS) of the processes of the tool a second later, each with a copy of Node that no other process shares; from SIGTERM until the tool and all apps are gone. `started` and `answered`: until the last app has started, and from there until each has answered a call through its sidecar.',
  needs: ['go'],
  measure: async scale => [...(await beside(scale)), ...(await untilAnswers(scale))]
}

async function untilAnswers({rounds}: Scale): Promise<readonly Measure[]> {
  return withRig(async rig => {
    await writeTen(rig)
    const results = await inRounds(rounds + 1, async () => {
      const {program, ...times} = await startTen(rig)
      program.signal('SIGTERM')
      await program.exited
      return times
    })
    const counted = results.slice(1) // the first one warms the disk's cache
    const alone = {unit: 'ms', peer: [], peerName: ''} as const
    return [
      {...alone, name: 'ten apps: started', ours: counted.map(({startedMs}) => startedMs)},
      {...alone, name: 'ten apps: answered', ours: counted.map(({answeredMs}) => answeredMs)}
    ]
  })
}

const beside = async ({rounds: wanted}: Scale): Promise<readonly Measure[]> =>
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
    const results = await inRounds(wanted + 1, async () => {
      const done = new Map<string, Numbers>()
      for (const [name, setup] of setups) {
        if (setup === undefined) continue
        try {
          done.set(name, await roundOf(rig, {name, setup, replaced, server, ready}))
        } catch (error) {
          if (name === 'ours') throw error
          await endAll(rig, name, ready)
        }
      }
      return done
    })
    ready.close()
    const counted = results.slice(1) // the first one warms the disk's cache
    return (['listen', 'memory', 'stop'] as const).flatMap(kind =>
      SUPERVISORS.map(({name}): Measure => {
        // a round in which a peer hung counts for none of the two
        const both = counted.filter(done => done.has(name))
        const rounds = both.length > 0 ? both : counted
        const column = (of: string): readonly number[] => rounds.flatMap(done => done.get(of)?.[kind] ?? [])
        const why = both.length === 0 && setups.get(name) !== undefined ? {why: 'it hung'} : {}
        const numbers = {ours: column('ours'), peer: column(name)}
        return {name: `ten apps: ${kind}`, unit: KINDS[kind], ...numbers, peerName: name, ...why}
      })
    )
  })

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
  const hung = once(AbortSignal.timeout(HANGS_MS), 'abort').then(() => {
    throw new Error(`${name} hung`)
  })
  hung.catch(() => undefined)
  await Promise.race([ready.count(APPS), failed, hung])
  const listen = performance.now() - begin
  await pause(CALM_MS)
  const memory = await memoryOf(rig, program.pid, server)
  const stopping = performance.now()
  program.signal('SIGTERM')
  await Promise.race([Promise.all([ready.count(0), program.exited]), hung])
  return {listen, memory, stop: performance.now() - stopping}
}

/** Kills what a supervisor that failed has left, and removes its folder, for the next round. */
async function endAll(rig: Rig, name: string, ready: Listener): Promise<void> {
  for (const {pid} of tracesCarrying(rig.marker)) orElse(() => process.kill(pid, 'SIGKILL'), false)
  await ready.count(0)
  await rm(join(rig.folder, name), {recursive: true, force: true})
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
