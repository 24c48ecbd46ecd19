import {lookThroughProc, readParticulars, seeInProc} from './proc.ts'
import type {ProcessSnapshot, Particulars, Seen} from './process-info.ts'
import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

const COLUMNS = 'pid=,ppid=,pgid=,uid=,stat=,lstart=,command='
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Runs macOS's `ps` once; `-E` shows the environment after each command. */
async function lookWithPs(): Promise<ProcessSnapshot> {
  const rows = parsePs(await ps(['-A']))
  const rowOf = new Map(rows.map(row => [row.pid, row]))
  return {
    all: rows,
    carries: (pid, marker) => hasWord(rowOf.get(pid)?.line ?? '', marker),
    isBare: pid => rowOf.get(pid)?.isExiting ?? true
  }
}

/** What is read again before a process is signalled. */
async function askPs(pid: number): Promise<Particulars | undefined> {
  const [row] = parsePs(await ps(['-p', pid.toString()]))
  if (row === undefined || row.isZombie) return undefined
  return {started: row.started, uid: row.uid, command: row.line, carries: marker => hasWord(row.line, marker)}
}

interface Row extends Seen {
  readonly uid: number
  /** Command, arguments and environment. */
  readonly line: string
  readonly isExiting: boolean
}

/** Parses rows of `ps -o pid=,ppid=,pgid=,uid=,stat=,lstart=,command=`. The start is in seconds; the session is not shown. */
export function parsePs(text: string): Row[] {
  return text.split('\n').flatMap(row => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s?(.*)$/.exec(row)
    if (found === null) return []
    const [, pid, parent, group, uid, stat = '', start = '', line = ''] = found
    const started = Date.parse(start) / 1000
    const numbers = {pid: Number(pid), parent: Number(parent), group: Number(group), uid: Number(uid)}
    return [
      {...numbers, session: Number(group), started, isZombie: stat.startsWith('Z'), isExiting: stat.includes('E'), line}
    ]
  })
}

const hasWord = (line: string, word: string): boolean => `${line} `.includes(` ${word} `)

async function ps(which: readonly string[]): Promise<string> {
  try {
    const env = {PATH: '/bin:/usr/bin', LC_ALL: 'C'}
    const {stdout} = await promisify(execFile)('ps', [...which, '-E', '-ww', '-o', COLUMNS], {
      env,
      maxBuffer: MAX_OUTPUT_BYTES
    })
    return stdout
  } catch {
    return '' // ps fails if there is no such process
  }
}

const isLinux = process.platform === 'linux'

let next: Promise<ProcessSnapshot> | undefined
let latest: Promise<unknown> = Promise.resolve()

/**
 * A snapshot of all processes, never older than the call. Callers of the same moment share it: ten apps that end together
 * cost one scan. Never rejects; if processes cannot be listed, it is empty.
 */
export async function look(): Promise<ProcessSnapshot> {
  if (next === undefined) {
    next = lookAfter(latest)
    latest = next
  }
  return next
}

async function lookAfter(earlier: Promise<unknown>): Promise<ProcessSnapshot> {
  await earlier
  await new Promise(setImmediate) // calls within the same tick share the snapshot
  next = undefined
  return isLinux ? lookThroughProc() : lookWithPs()
}

/** Reads one process again; undefined if it has exited or is a zombie. */
export const lookAgain = async (pid: number): Promise<Particulars | undefined> =>
  isLinux ? readParticulars(pid) : askPs(pid)

/** The start time of a process that has just been spawned, as `Seen.started`. */
export const startOf = (pid: number): number =>
  isLinux ? (seeInProc(pid)?.started ?? 0) : Math.floor(Date.now() / 1000)

/** This process and its ancestors: never to be signalled. */
export function ownAncestry({all}: ProcessSnapshot): ReadonlySet<number> {
  const parents = new Map(all.map(({pid, parent}) => [pid, parent]))
  const pids = new Set<number>()
  let pid: number | undefined = process.pid
  while (pid !== undefined && !pids.has(pid)) {
    pids.add(pid)
    pid = parents.get(pid)
  }
  return pids
}
