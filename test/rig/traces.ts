import {readdir, readFile} from 'node:fs/promises'

/** A process of this machine; the start time tells it from a later one with the same number. */
export interface Trace {
  readonly pid: number
  readonly startTime: string
  readonly parent: number
  readonly command: string
}

/** The text of a file below /proc; '' when the process is gone or not ours. */
const read = async (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '')

async function traceOf(pid: number): Promise<Trace | undefined> {
  const stat = await read(`/proc/${pid.toString()}/stat`)
  const [state = 'Z', parent = '0', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat === '' || state === 'Z' || state === 'X') return undefined
  const command = (await read(`/proc/${pid.toString()}/cmdline`)).replaceAll('\0', ' ').trim()
  return {pid, startTime: rest[17] ?? '', parent: Number(parent), command}
}

async function allTraces(): Promise<readonly Trace[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const traces = await Promise.all(pids.map(async pid => traceOf(Number(pid))))
  return traces.filter(trace => trace !== undefined)
}

/** A process's environment as it was given at its start, `NAME=value` each; a zombie has none. */
export const environmentOf = async (pid: number): Promise<readonly string[]> =>
  (await read(`/proc/${pid.toString()}/environ`)).split('\0')

/** Every process that carries `NAME=value`. */
export async function tracesCarrying(assignment: string): Promise<readonly Trace[]> {
  const traces = await allTraces()
  const carried = await Promise.all(traces.map(async ({pid}) => (await environmentOf(pid)).includes(assignment)))
  return traces.filter((_, index) => carried[index])
}

/** Children of a process, their children, and so on. */
export async function descendantsOf(pid: number): Promise<readonly Trace[]> {
  const traces = await allTraces()
  const found: Trace[] = []
  for (let parents = [pid]; parents.length > 0;) {
    const children = traces.filter(({parent}) => parents.includes(parent))
    found.push(...children)
    parents = children.map(child => child.pid)
  }
  return found
}

/** Whether this very process still processes. */
export const isAlive = async ({pid, startTime}: Trace): Promise<boolean> =>
  (await traceOf(pid))?.startTime === startTime

/** What a process does at this moment, for the report of a test that failed: its state, its signals, where each thread waits. */
export async function stateOf(pid: number): Promise<string> {
  const folder = `/proc/${pid.toString()}`
  const status = await read(`${folder}/status`)
  const told = status.split('\n').filter(line => /^(?:State|PPid|TracerPid|(?:Sig|Shd)[A-Z][a-z]{2}):/.test(line))
  const threads = await readdir(`${folder}/task`).catch(() => [])
  const waits = await Promise.all(threads.map(async thread => read(`${folder}/task/${thread}/wchan`)))
  return `${told.join(', ').replaceAll('\t', ' ')}, threads wait in ${waits.join(' ')}`
}
