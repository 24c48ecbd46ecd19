import {readFileSync} from 'node:fs'
import {basename} from 'node:path'
import {setImmediate as yieldToOthers} from 'node:timers/promises'
import {orElse} from '../model/or-else.ts'
import {namesInFolder} from './paths.ts'
import {SerialQueue} from '../model/serial-queue.ts'
import {holds, linkAt, listenersOn} from './listeners.ts'
import {copiedEnds, rowOfPeer, socketTables, type Ends} from './proc-net.ts'
import {isUsersProgram} from './shared-programs.ts'

/** Kind of the process at the other end of a connection: an app's, another, or invisible to us. */
export type PeerKind = 'app' | 'other' | 'unknown'

/** The signs by which a process is recognized as an app's. */
export interface AppSigns {
  /** Name of a variable in the environment of the process. */
  readonly variable: string
  /** Port of an app that Pillion has not started, as in an IDE; 0: none. */
  readonly port: number
}

/** How long the search runs before it yields to calls. */
const SLICE_MS = 3

const searches = new SerialQueue()

/** Finds the process at the other end of a connection. Searches one after another, in slices, so that calls continue. */
export async function peerKind(connection: Ends, signs: AppSigns): Promise<PeerKind> {
  const ends = copiedEnds(connection)
  return searches.run(async () => inSlices(ends, signs))
}

async function inSlices(ends: Ends, signs: AppSigns): Promise<PeerKind> {
  let sliceEnds = performance.now() + SLICE_MS
  for (const found of search(ends, signs)) {
    if (found !== undefined) return found
    if (performance.now() < sliceEnds) continue
    await yieldToOthers()
    sliceEnds = performance.now() + SLICE_MS
  }
  return 'unknown'
}

/** As `peerKind`, but at once: for ports that no browser can speak to. */
export function peerKindNow(ends: Ends, signs: AppSigns): PeerKind {
  for (const found of search(ends, signs)) if (found !== undefined) return found
  return 'unknown'
}

/** Searches one process after the other, and yields the result at the end. */
function* search(ends: Ends, {variable, port}: AppSigns): Generator<PeerKind | undefined, void> {
  const row = rowOfPeer(socketTables(), ends)
  const uid = process.getuid?.() ?? 0
  if (row === undefined || (uid !== 0 && row.uid !== uid)) {
    yield 'unknown'
    return
  }
  const connection = new Set([`socket:[${row.inode}]`])
  const listeners = port > 0 ? listenersOn({port}) : new Set<string>()
  let isSeen = false
  for (const pid of processes()) {
    yield undefined
    if (!holds(pid, connection)) continue
    isSeen = true
    if ((environmentValue(pid, variable) !== '' || holds(pid, listeners)) && !isBrowser(pid)) yield 'app'
  }
  yield isSeen ? 'other' : 'unknown'
}

/** Returns all process ids except ours, which may have tens of thousands of connections. The latest come first. */
export const processes = (): readonly number[] =>
  namesInFolder('/proc')
    .map(Number)
    .filter(pid => pid > 0 && pid !== process.pid)
    .toSorted((a, b) => b - a)

/** Returns the value of a variable in the environment of a process; '': not set, or not readable. */
export function environmentValue(pid: number, name: string): string {
  const environment = `\0${orElse(() => readFileSync(`/proc/${pid}/environ`, 'latin1'), '')}`
  const at = environment.indexOf(`\0${name}=`)
  const from = at + name.length + 2
  return at < 0 ? '' : environment.slice(from, environment.indexOf('\0', from))
}

/** Whether a process is a browser. A dev server opens the user's browser, which inherits its environment but shows pages of anybody. */
export function isBrowser(pid: number): boolean {
  const program = basename(linkAt(`/proc/${pid}/exe`))
  return isUsersProgram(program) || /^WebKit\w+Process\b/.test(program)
}
