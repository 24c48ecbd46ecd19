import {createReadStream, readFileSync} from 'node:fs'
import {open, readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Rig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'

/** Two million lines instead of half a million, and twenty times the number of flooding apps' lines. */
export const isLong = process.env['PILLION_LONG'] === '1'

export const FLOOD = join(import.meta.dirname, '../fixtures/apps/flood.mjs')

/** The lines of one stream of a flooding app. */
export interface Counted {
  count: number
  /** The first line that did not follow its forerunner; '' for none. */
  outOfOrder: string
}

/** Counts the numbered lines of flooding apps in a file, by `<app> <stream>`; what else stands there, by line. */
export async function countedIn(
  path: string
): Promise<{readonly flooded: ReadonlyMap<string, Counted>; readonly others: readonly string[]}> {
  const flooded = new Map<string, Counted>()
  const others: string[] = []
  const take = (line: string): void => {
    const [, app, stream, number] = /^== APP - (\S+) == ([12]) (\d+) x*$/.exec(line) ?? []
    if (app === undefined || stream === undefined) return void others.push(line)
    const key = `${app} ${stream}`
    const seen = flooded.get(key) ?? {count: 0, outOfOrder: ''}
    if (Number(number) !== seen.count && seen.outOfOrder === '') seen.outOfOrder = line
    seen.count++
    flooded.set(key, seen)
  }
  let rest = ''
  for await (const chunk of createReadStream(path, {encoding: 'latin1', highWaterMark: 1024 * 1024})) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  }
  if (rest !== '') take(rest)
  return {flooded, others}
}

/** The log file of an app, the only one of its kind. */
export async function logFileOf(rig: Rig, id: string): Promise<string> {
  const folder = join(rig.folder, id, '.dapr/logs')
  const names = (await readdir(folder)).filter(name => name.startsWith(`${id}_app_`))
  if (names.length !== 1) throw new Error(`${folder} has ${names.join()}`)
  return join(folder, names[0] ?? '')
}

/** Waits until the log file of an app tells its end; gives the file. */
export async function ended(rig: Rig, id: string): Promise<string> {
  for (;;) {
    const path = await logFileOf(rig, id).catch(() => '')
    if (path !== '' && (await endOf(path)).includes('\nExited App successfully\n')) return path
    await pause(50)
  }
}

async function endOf(path: string): Promise<string> {
  await using file = await open(path)
  const {size} = await file.stat()
  const {buffer} = await file.read({position: Math.max(0, size - 100), buffer: Buffer.alloc(100)})
  return buffer.toString('latin1')
}

/** Starts `run -f .` with its stdout through `cat` into a file of the rig's folder; the program is our process itself. */
export function runInto(rig: Rig, file: string): Program {
  const script = 'mkfifo out; cat < out > "$0" & exec "$@" > out'
  return rig.start(['sh', '-c', script, file, ...rig.program, 'run', '-f', '.'])
}

/**
 * Looks at the memory of a process at once and every 50 ms until it is told to stop; gives what it saw, in MB. Only what is its own, without
 * pages of files: of an executable that has just been written, the kernel counts twice as many as of one that was read.
 */
export function watchMemory(pid: number): () => readonly number[] {
  const seen: number[] = []
  const look = (): void => {
    const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(statusOf(pid)) ?? []
    if (kilobytes !== undefined) seen.push(Number(kilobytes) / 1024)
  }
  look()
  const timer = setInterval(look, 50).unref()
  return () => {
    clearInterval(timer)
    look()
    return seen
  }
}

/** What the kernel tells of a process; '' once it is gone. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    return ''
  }
}
