import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import {columnsOf, PS_ENVIRONMENT as env, secondsOf} from './ps-now.ts'
import type {ProcessSnapshot, Particulars, Seen} from './process-info.ts'

const COLUMNS = 'pid=,ppid=,pgid=,uid=,stat=,lstart=,command='
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Runs macOS's `ps` once; `-E` shows the environment after each command. */
export async function lookWithPs(): Promise<ProcessSnapshot> {
  const rows = parsePs(await ps(['-A']))
  const rowOf = new Map(rows.map(row => [row.pid, row]))
  return {
    all: rows,
    carries: (pid, marker) => hasWord(rowOf.get(pid)?.line ?? '', marker),
    isBare: pid => rowOf.get(pid)?.isExiting ?? true
  }
}

/** Reads the facts that are checked again before a signal to a process. */
export async function askPs(pid: number): Promise<Particulars | undefined> {
  const [row] = parsePs(await ps(['-p', pid.toString()]))
  if (row === undefined || row.isZombie) return undefined
  const command = columnsOf(pid, 'command=') // the line shows the environment, too, which must stay private
  return {
    started: row.started,
    uid: row.uid,
    command,
    catches: () => false, // not shown by ps
    activity: '',
    carries: marker => hasWord(row.line, marker)
  }
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
    const numbers = {pid: Number(pid), parent: Number(parent), group: Number(group), uid: Number(uid)}
    const started = secondsOf(start)
    return [
      {...numbers, session: Number(group), started, isZombie: stat.startsWith('Z'), isExiting: stat.includes('E'), line}
    ]
  })
}

const hasWord = (line: string, word: string): boolean => `${line} `.includes(` ${word} `)

async function ps(which: readonly string[]): Promise<string> {
  try {
    const {stdout} = await promisify(execFile)('ps', [...which, '-E', '-ww', '-o', COLUMNS], {
      env,
      maxBuffer: MAX_OUTPUT_BYTES
    })
    return stdout
  } catch {
    return '' // ps fails if there is no such process
  }
}
