import {constants, openSync} from 'node:fs'
import {Socket} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {noTerminal, onTerminal} from '../rig/on-terminal.ts'
import type {Program} from '../rig/program.ts'
import type {Rig} from '../rig/rig.ts'
import type {Random} from './random.ts'

const OUTPUTS = ['pipe', 'socket', 'file', 'terminal', 'closed', '/dev/full'] as const
const READERS = ['fast', 'slow', 'stopped', 'gone'] as const
const EVENTS = [
  'stop',
  'second stop',
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'save',
  'crash',
  'template edit',
  'up --run'
] as const

/** Where a run writes, who reads that, and what happens to it. */
export interface Start {
  readonly output: (typeof OUTPUTS)[number]
  readonly reader: (typeof READERS)[number]
  readonly event: (typeof EVENTS)[number]
}

export function startOf(random: Random): Start {
  const output = random.pick(OUTPUTS.filter(each => each !== 'terminal' || noTerminal === false))
  const hasReader = output === 'pipe' || output === 'socket' || output === 'terminal'
  return {output, reader: hasReader ? random.pick(READERS) : 'fast', event: random.pick(EVENTS)}
}

/** A run may take so long to end: its reader has a second, its apps have their grace, and the machine is busy. */
const LIMIT_MS = 40_000

/** Writes more than a socket, a terminal or a pipe takes, then a line now and then; ends where a file says so. */
const LOUD = `import {existsSync} from 'node:fs'
process.stdout.write(('x'.repeat(99) + '\\n').repeat(20_000))
setInterval(() => existsSync('crash') ? process.exit(3) : console.log('tick'), 100)
`

/** Starts a run, lets the event happen, and looks how it ends; gives what is wrong, '' for nothing. */
export async function outcomeOf(rig: Rig, {output, reader, event}: Start): Promise<string> {
  const apps = [{appID: 'calm'}, {appID: 'loud', command: [process.execPath, 'loud.mjs']}]
  await rig.template(apps)
  await rig.write({'loud/loud.mjs': LOUD})
  const isCommand = event === 'up --run'
  const {run, read} = await begun(rig, isCommand ? ['up', '--run', 'true'] : ['run', '-f', '.', '--watch'], output)
  // a command that is over at once ends the run, and its apps, before they have come far
  await Promise.race([rig.driven('calm'), run.gone()])
  const pid = await pidOf(rig)
  if (pid === 0) return isCommand ? '' : 'the run is not listed'
  const over = new AbortController()
  void behave(reader, read, over.signal)
  try {
    if (reader !== 'gone' && !isCommand) {
      const fault = await happens(rig, event, {apps, pid})
      if (fault !== '') return fault
    }
    // `script` ends once it has passed all on, and is gone with its reader: it tells nothing of the run then
    if (output === 'terminal' && reader !== 'fast') {
      if (!(await isGone(pid))) return 'it has not ended'
      read.resume()
    } else {
      const ended = await Promise.race([run.gone(), pause(LIMIT_MS, undefined, {ref: false})])
      if (ended === undefined) return 'it has not ended'
      if (ended.code !== 0) return `it ended with ${String(ended.code ?? ended.signal)}`
    }
    const left = await rig.leftovers(LIMIT_MS)
    return left.length === 0 ? '' : `left: ${left.join(', ')}`
  } finally {
    over.abort()
    read.resume()
  }
}

/** The process of the run; 0: it is not listed, or no more. A run that a busy machine keeps from answering is asked again. */
async function pidOf(rig: Rig): Promise<number> {
  for (const end = performance.now() + LIMIT_MS; ;) {
    const {code, stdout, stderr} = await rig.run(['list', '-o', 'json'])
    if (code !== 0 && performance.now() < end) continue
    if (code !== 0) throw new Error(`list: ${stderr}`)
    const [row] = JSON.parse(stdout) as readonly {readonly cliPid: number}[]
    return row?.cliPid ?? 0
  }
}

/** Whether a process ends in time. */
async function isGone(pid: number): Promise<boolean> {
  for (const end = performance.now() + LIMIT_MS; performance.now() < end; await pause(50))
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
  return false
}

/** The reader of a run's output. */
interface Read {
  pause(): void
  resume(): void
  leave(): void
}

const NO_READER: Read = {pause: () => undefined, resume: () => undefined, leave: () => undefined}

async function begun(
  rig: Rig,
  args: readonly string[],
  output: Start['output']
): Promise<{readonly run: Program; readonly read: Read}> {
  const through = (redirection: string): Program =>
    rig.start(['sh', '-c', `exec "$@" ${redirection}`, 'sh', ...rig.program, ...args])
  if (output === 'file') return {run: through('> shown'), read: NO_READER}
  if (output === 'closed') return {run: through('>&-'), read: NO_READER}
  if (output === '/dev/full') return {run: through('> /dev/full'), read: NO_READER}
  if (output === 'pipe') {
    await rig.start(['mkfifo', 'out']).exited
    const fd = openSync(`${rig.folder}/out`, constants.O_RDONLY | constants.O_NONBLOCK)
    const pipe = new Socket({fd, readable: true, writable: false}).on('error', () => undefined).resume()
    const read = {pause: () => pipe.pause(), resume: () => pipe.resume(), leave: () => pipe.destroy()}
    return {run: through('> out'), read}
  }
  const run = output === 'socket' ? rig.pillion(args) : onTerminal(rig, args)
  const read = {
    pause: () => run.leaveOutput(),
    resume: () => run.readOutput(),
    leave: () => (output === 'socket' ? run.closeOutput() : run.signal('SIGKILL'))
  }
  return {run, read}
}

async function behave(reader: Start['reader'], read: Read, over: AbortSignal): Promise<void> {
  if (reader === 'gone') return read.leave()
  if (reader === 'stopped') return read.pause()
  if (reader !== 'slow') return
  while (!over.aborted) {
    read.pause()
    await pause(50)
    read.resume()
    await pause(1)
  }
}

/** The event, and the end of the run where it does not bring that; gives what is wrong with it. */
async function happens(
  rig: Rig,
  event: Start['event'],
  {apps, pid}: {readonly apps: readonly {readonly appID: string}[]; readonly pid: number}
): Promise<string> {
  const wait = async (condition: string): Promise<string> => {
    const {code, stderr} = await rig.run(['wait', '--for', condition, '--timeout', '40s'])
    return code === 0 ? '' : `${condition}: ${stderr}`
  }
  let fault = ''
  if (event.startsWith('SIG')) {
    process.kill(pid, event)
    return ''
  }
  if (event === 'save') {
    await rig.write({'loud/loud.mjs': `${LOUD}// saved\n`})
    fault = await wait('reloaded:loud')
  } else if (event === 'crash') {
    await rig.write({'loud/crash': ''})
    fault = await wait('exit:loud')
  } else if (event === 'template edit') {
    await rig.template([...apps, {appID: 'more'}])
    await rig.driven('more')
  }
  if (fault !== '') return fault
  const stops = await Promise.all(
    Array.from({length: event === 'second stop' ? 2 : 1}, async () => rig.run(['stop', '-f', '.']))
  )
  return stops.map(({code, stderr}) => (code === 0 ? '' : `stop: ${stderr}`)).join('')
}
