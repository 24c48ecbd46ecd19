import {readdirSync, readFileSync} from 'node:fs'

/** A process of this machine; the start time tells it from a later one with the same number. */
export interface Trace {
  readonly pid: number
  /** Ticks since the system's start. */
  readonly startTime: number
  readonly parent: number
  readonly command: string
}

type Nameless = Omit<Trace, 'command'>

/** The text of a file below /proc; '' when the process is gone or not ours. Nothing waits for a disk: a promise for each would cost ten times as much. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Undefined: it is gone, and was waited for or not. */
function traceOf(pid: number): Nameless | undefined {
  const stat = read(`/proc/${pid}/stat`)
  const [state = 'Z', parent = '0', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat === '' || state === 'Z' || state === 'X') return undefined
  return {pid, startTime: Number(rest[17]), parent: Number(parent)}
}

const OWN_START = traceOf(process.pid)?.startTime ?? 0

/** Processes that have started since this one did: no test looks for older ones. */
const youngTraces = (): readonly Nameless[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => traceOf(Number(name)) ?? [])
    .filter(({startTime}) => startTime >= OWN_START)

/** A process's environment as it was given at its start, `NAME=value` each; a zombie has none. */
export const environmentOf = (pid: number): readonly string[] => read(`/proc/${pid}/environ`).split('\0')

const named = (trace: Nameless): Trace => {
  const command = read(`/proc/${trace.pid}/cmdline`).replaceAll('\0', ' ').trim()
  return {...trace, command}
}

/** Every process that carries `NAME=value`. */
export const tracesCarrying = (assignment: string): readonly Trace[] =>
  youngTraces()
    .filter(({pid}) => environmentOf(pid).includes(assignment))
    .map(named)

/** Children of a process, their children, and so on. */
export function descendantsOf(pid: number): readonly Trace[] {
  const traces = youngTraces()
  const found: Nameless[] = []
  for (let parents = [pid]; parents.length > 0;) {
    const children = traces.filter(({parent}) => parents.includes(parent))
    found.push(...children)
    parents = children.map(child => child.pid)
  }
  return found.map(named)
}

/** Whether this very process still processes. */
export const isAlive = ({pid, startTime}: Nameless): boolean => traceOf(pid)?.startTime === startTime

/** What a process does at this moment, for the report of a test that failed: its state, its signals, where each thread waits. */
export function stateOf(pid: number): string {
  const folder = `/proc/${pid}`
  const told = read(`${folder}/status`)
    .split('\n')
    .filter(line => /^(?:State|PPid|TracerPid|(?:Sig|Shd)[A-Z][a-z]{2}):/.test(line))
  const waits = threadsOf(folder).map(thread => read(`${folder}/task/${thread}/wchan`))
  return `${told.join(', ').replaceAll('\t', ' ')}, threads wait in ${waits.join(' ')}`
}

function threadsOf(folder: string): readonly string[] {
  try {
    return readdirSync(`${folder}/task`)
  } catch {
    return []
  }
}
