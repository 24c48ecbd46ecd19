import type {Socket} from 'node:net'
import {signalGroup} from './process-group.ts'

export interface LinesOptions {
  readonly folder: string
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; omitted: none. */
  readonly input?: string
  /** Gets each line of both its streams. */
  readonly onLine?: (line: string) => void
}

export interface LinesEnd {
  /** Reason of the failure (`exited with 2`); empty after success. */
  readonly why: string
  /** Last line of its output; '' without output. */
  readonly last: string
}

/** Time from the signal to SIGKILL, in ms. */
const GRACE_MS = 5000
/** Time after a command's end for output of a process that it started, in ms. */
const DRAIN_MS = 200
/** Script that ends a group after our end, even by SIGKILL: it reads a pipe that only we hold. */
const GUARD = 'read -r _ || kill -s TERM -- "-$0"'

/** Runs a command to its end, for which the user waits. A signal to us ends its process group; a second one kills it. Never rejects. */
export async function runLines(
  [program = '', ...args]: readonly string[],
  {folder, env = {}, input, onLine = () => undefined}: LinesOptions
): Promise<LinesEnd> {
  const {execa} = await import('execa')
  // listens first: a signal right after the start of the program would end only Pillion
  let isEnding = false
  const end = (signal: NodeJS.Signals): void => {
    const kill = (how: NodeJS.Signals): unknown => child.pid !== undefined && signalGroup(child.pid, how)
    if (isEnding) return void kill('SIGKILL')
    isEnding = true
    kill(signal)
    // then the signal ends us, too
    const leave = (): unknown => process.off(signal, end).kill(process.pid, signal)
    setTimeout(() => {
      kill('SIGKILL')
      leave()
    }, GRACE_MS).unref()
    void child.finally(leave)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.setMaxListeners(0).on(signal, end) // any number of commands at once
  const child = execa(program, args, {
    cwd: folder,
    env,
    detached: true,
    ...(input === undefined ? {stdin: 'ignore'} : {input}),
    all: true,
    buffer: false,
    reject: false
  })
  const stdio = ['pipe', 'ignore', 'ignore'] as const
  const guard = execa('sh', ['-c', GUARD, `${child.pid}`], {cwd: '/', detached: true, reject: false, stdio})
  let [last, isOver] = ['', false]
  const read = async (): Promise<void> => {
    // reads to the end: a closed pipe would end processes that the command left behind
    for await (const line of child.iterable({from: 'all'})) {
      if (isOver) continue
      last = line === '' ? last : line
      onLine(line)
    }
  }
  const {nodeChildProcess: ended} = child
  // waits for programs that ignore the signal, as `&` of a shell makes them
  const {promise: drained, resolve} = Promise.withResolvers<void>()
  ended.once('exit', () => setTimeout(() => isEnding || resolve(), DRAIN_MS))
  try {
    await Promise.race([read().then(async () => child), drained])
    const {exitCode, signalCode} = ended
    if (exitCode === 0) return {why: '', last}
    if (signalCode !== null) return {why: `was ended by ${signalCode}`, last}
    if (exitCode !== null && exitCode > 0) return {why: `exited with ${exitCode}`, last}
    return {why: `could not be started: ${(await child).shortMessage ?? ''}`, last}
  } finally {
    isOver = true
    for (const output of [child.stdout, child.stderr]) (output as Partial<Socket>).unref?.()
    // waits a turn of the event loop for signals that have arrived: without a listener they would be lost
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
    for (const signal of signals) process.off(signal, end)
    guard.stdin.end('\n')
  }
}
