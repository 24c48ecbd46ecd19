import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import {namesInFolder, systemText} from './paths.ts'
import {statFields} from './proc.ts'
import {PS_ENVIRONMENT as env} from './ps-now.ts'

/** Memory and CPU time of the processes of a group. */
export interface Usage {
  readonly memoryBytes: number
  /** CPU time since they started. */
  readonly cpuMs: number
}

/** `USER_HZ`: the unit of CPU time in /proc (proc(5)); 100 per second on every machine that Node supports. */
const TICK_MS = 10

/** Processes that are read in one turn of the event loop: about a millisecond. */
const PER_TURN = 50

/**
 * Current memory and CPU time of process groups; groups without a process are omitted. Takes short turns: a run that asks serves calls in
 * between. Never rejects.
 */
export async function usageOf(groups: ReadonlySet<number>): Promise<ReadonlyMap<number, Usage>> {
  const rows = process.platform === 'linux' ? inProc(groups) : await askPs()
  const sums = new Map<number, Usage>()
  for await (const {group, memoryBytes, cpuMs} of rows) {
    if (!groups.has(group)) continue
    const before = sums.get(group) ?? {memoryBytes: 0, cpuMs: 0}
    sums.set(group, {memoryBytes: before.memoryBytes + memoryBytes, cpuMs: before.cpuMs + cpuMs})
  }
  return sums
}

interface Row extends Usage {
  readonly group: number
}

async function* inProc(groups: ReadonlySet<number>): AsyncGenerator<Row> {
  let read = 0
  for (const name of namesInFolder('/proc')) {
    if (name < '0' || name > ':') continue
    if (++read % PER_TURN === 0) await new Promise(setImmediate)
    const fields = statFields(systemText(`/proc/${name}/stat`))
    const group = Number(fields[2])
    if (!groups.has(group)) continue
    const kib = /^VmRSS:\s+(\d+)/m.exec(systemText(`/proc/${name}/status`))?.[1] ?? '0'
    yield {group, memoryBytes: Number(kib) * 1024, cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS}
  }
}

async function askPs(): Promise<readonly Row[]> {
  try {
    const {stdout} = await promisify(execFile)('ps', ['-A', '-o', 'pgid=,rss=,time='], {env})
    return parseUsage(stdout)
  } catch {
    return []
  }
}

/** Rows of `ps -o pgid=,rss=,time=`: kibibytes, and `[[days-]hours:]minutes:seconds`. */
export const parseUsage = (text: string): Row[] =>
  text.split('\n').flatMap(row => {
    const found = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?((?:\d+:)*[\d.]+)\s*$/.exec(row)
    if (found === null) return []
    const [, group, kib, days = '0', clock = ''] = found
    const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
    const cpuMs = Math.round((Number(days) * 86_400 + seconds) * 1000)
    return [{group: Number(group), memoryBytes: Number(kib) * 1024, cpuMs}]
  })
