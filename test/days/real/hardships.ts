import {execFileSync} from 'node:child_process'
import {readdirSync} from 'node:fs'
import {createServer, type Server} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {holds, listenersOn} from '../../../src/platform/listeners.ts'
import type {Program} from '../../rig/program.ts'
import type {Rig} from '../../rig/rig.ts'

/** Ports that somebody else has taken. */
export class TakenPorts {
  #servers: Server[] = []

  /** Listens on the ports that an app had; those that the run still holds, although the app is stopped, a sentence each. */
  async take(name: string, ports: readonly number[], run: number): Promise<readonly string[]> {
    const kept = await Promise.all(ports.map(async port => this.#take(port, run)))
    return kept
      .filter(port => port > 0)
      .map(port => `${name} is stopped, and the run still listens on its port ${port}`)
  }

  /** 0, or the port if the run holds it. */
  async #take(port: number, run: number): Promise<number> {
    const server = createServer(socket => socket.destroy())
    const isOurs = await new Promise<boolean>(resolve =>
      server
        .once('listening', () => resolve(true))
        .once('error', () => resolve(false))
        .listen({host: '127.0.0.1', port, exclusive: true})
    )
    if (isOurs) this.#servers.push(server)
    return !isOurs && holds(run, listenersOn({port})) ? port : 0
  }

  free(): void {
    for (const server of this.#servers) server.close()
    this.#servers = []
  }
}

/** Where apps have a `port`, the second run ends: the first one listens there. */
const TOLD = /is already running \(pid|cannot be called at port \d+: it is held by .* up --watch.* \(pid/
/** What apps of a second run note is not looked at. */
const UNNOTED = {env: {DAY_NOTES: '/dev/null'}}

/** A second `up` of the same template, which names the run, and fails where that differs; what is wrong with it, a sentence each. */
export async function secondUp(rig: Rig, flags: readonly string[]): Promise<readonly string[]> {
  const second = await rig.run(['up', ...flags], UNNOTED)
  if ([second.stdout, second.stderr][second.code ?? 0]?.includes('is already running (pid') === true) return []
  return [`a second "up ${flags.join(' ')}" starts a run: ${JSON.stringify(second)}`]
}

/** A second run of the same template, with a name of its own, from its start to its end; what is wrong with it, a sentence each. */
export async function namedRun(rig: Rig): Promise<readonly string[]> {
  const second = rig.pillion(['up', '--name', 'two'], UNNOTED)
  // some of its apps may never be ready
  await rig.run(['wait', '--name', 'two', '--for', 'ready', '--timeout', '10s'])
  const down = await rig.run(['down', '--name', 'two'])
  await second.exited
  return down.code === 0 ? [] : [`a run with a name cannot be ended: ${JSON.stringify(down)}, ${second.report()}`]
}

/** A second `run -f .` of the same template, from its start to its end; what is wrong with it, a sentence each. */
export async function secondRun(rig: Rig): Promise<readonly string[]> {
  const second = rig.pillion(['run', '-f', '.'], UNNOTED)
  const isTold = await Promise.race([second.stderr.line(TOLD).then(() => true), second.exited.then(() => false)]).catch(
    () => false
  )
  await pause(300)
  await second.end()
  return isTold ? [] : [`a second run does not say that the template runs: ${second.report()}`]
}

/** For a moment the run may open nothing more, and is called. */
export async function fewDescriptors({pid}: Program, call: () => void): Promise<void> {
  const highest = Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number))
  limit(pid, 'nofile', highest + 2)
  for (let i = 0; i < 5; i++) call()
  await pause(300)
  limit(pid, 'nofile')
}

/** What a log file may grow by when its disk is full. */
const ROOM = 20_000
/** It is tried so often whether a log file can be written again. */
const RETRY_MS = 1000
/** So long a warning may take: the machine may be busy. */
const TOLD_WITHIN_MS = 8000

/** The least that a line takes in a log file. */
const LINE = 12

/** No file may grow beyond the `largest` log (bytes) by more for as long as an app writes lines; settles when there is room again, with whether the run has ever said so. */
export async function fullDisk(
  run: Program,
  largest: number,
  write: (lines: number) => Promise<unknown>
): Promise<boolean> {
  const isTold = (): boolean => run.stderr.text.includes('cannot write log file')
  limit(run.pid, 'fsize', largest + ROOM)
  await write(Math.ceil((largest + ROOM) / LINE) + ROOM / 5)
  for (const end = performance.now() + TOLD_WITHIN_MS; !isTold() && performance.now() < end;) await pause(50)
  await pause(300) // it is said once for a file
  limit(run.pid, 'fsize')
  await pause(2 * RETRY_MS)
  return isTold()
}

/** Why no limits can be set here (prlimit(1), util-linux); '' = they can. */
export const WHY_NO_LIMITS = whyNoLimits()

function whyNoLimits(): string {
  try {
    execFileSync('prlimit', ['--nofile'], {stdio: 'ignore'})
    return ''
  } catch {
    return 'there is no prlimit here (util-linux)'
  }
}

/** Sets the soft limit of a process; without a value as high as it may be. */
function limit(pid: number, name: 'nofile' | 'fsize', value?: number): void {
  const options = ['--pid', pid.toString()]
  const hard = (): string =>
    execFileSync('prlimit', [...options, `--${name}`, '--output=HARD', '--noheadings', '--raw'], {
      encoding: 'utf8'
    }).trim()
  execFileSync('prlimit', [...options, `--${name}=${value?.toString() ?? hard()}:`])
}
