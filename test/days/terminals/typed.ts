import {performance} from 'node:perf_hooks'
import type {Program} from '../../rig/program.ts'
import type {Rig} from '../../rig/rig.ts'
import {descendantsOf} from '../../rig/traces.ts'
import {WORDS, type Words} from './words.ts'

/** Where a command is typed: with pipes, on a terminal, before `| head -n 1`, without a stream, or with a full disk as its stdout. */
export type Place = 'pipes' | 'terminal' | 'head' | 'no stdin' | 'no stdout' | 'no stderr' | 'full'
export const PLACES: readonly Place[] = ['pipes', 'terminal', 'head', 'no stdin', 'no stdout', 'no stderr', 'full']

/** How it is disturbed. */
export type Disturbance =
  | 'INT'
  | 'TERM'
  | 'HUP'
  | 'KILL'
  | 'INT twice'
  | 'reader gone'
  | 'input ends'
  | 'Ctrl-C'
  | 'hang-up'
const OF_TERMINAL: readonly Disturbance[] = ['Ctrl-C', 'hang-up', 'TERM']
const OF_PIPES: readonly Disturbance[] = ['INT', 'TERM', 'HUP', 'KILL', 'INT twice', 'reader gone', 'input ends']
export const disturbancesAt = (place: Place): readonly Disturbance[] => (place === 'terminal' ? OF_TERMINAL : OF_PIPES)

const quoted = (words: readonly string[]): string => words.map(word => `'${word}'`).join(' ')

/** Says on a terminal what the command left of its modes, then ends as the command did. */
const ON_TERMINAL = (command: string): string =>
  `trap : INT TERM; before=$(stty -g); ${command}; code=$?; [ "$before" = "$(stty -g)" ] || echo "MODES DIFFER"; exit $code`

function commandLine(place: Place, pillion: readonly string[]): readonly string[] {
  const exec = (to: string): readonly string[] => ['sh', '-c', `exec "$@" ${to}`, 'sh', ...pillion]
  switch (place) {
    case 'pipes':
      return pillion
    case 'terminal':
      return ['script', '-qec', ON_TERMINAL(quoted(pillion)), '/dev/null']
    case 'head':
      return ['sh', '-c', '{ "$@"; echo "CODE $?" >&2; } | head -n 1', 'sh', ...pillion]
    case 'no stdin':
      return exec('<&-')
    case 'no stdout':
      return exec('>&-')
    case 'no stderr':
      return exec('2>&-')
    case 'full':
      return exec('>/dev/full')
  }
}

/** A command that somebody has typed. */
export class Typed {
  readonly words: Words
  readonly args: readonly string[]
  readonly place: Place
  readonly program: Program
  readonly typedAt = performance.now()
  disturbed: Disturbance | undefined
  /** When it was, after it was typed (ms). */
  disturbedAfter = 0

  constructor(
    rig: Rig,
    kind: keyof typeof WORDS,
    {args, place}: {readonly args: readonly string[]; readonly place: Place}
  ) {
    this.words = WORDS[kind]
    this.args = args
    this.place = place
    this.program = rig.start(commandLine(place, [...rig.program, ...args]), {env: {TERM: 'xterm', TMPDIR: rig.home}})
    // a person's terminal stays open
    if (place !== 'terminal' && place !== 'pipes') this.program.stdin.end()
  }

  get title(): string {
    const how = this.disturbed === undefined ? '' : `, ${this.disturbed} after ${Math.round(this.disturbedAfter)} ms`
    return `${this.args.join(' ')} [${this.place}${how}]`
  }

  get hasEnded(): boolean {
    return this.program.hasExited
  }

  disturb(how: Disturbance): void {
    if (this.hasEnded) return
    this.disturbed ??= how
    this.disturbedAfter ||= performance.now() - this.typedAt
    switch (how) {
      case 'INT twice':
        this.#signal('SIGINT')
        return this.#signal('SIGINT')
      case 'reader gone':
        return this.program.closeOutput()
      case 'input ends':
        this.program.stdin.end()
        return
      case 'Ctrl-C':
        this.program.stdin.write('\x03')
        return
      case 'hang-up':
        return this.program.signal('SIGKILL') // `script` holds the terminal
      case 'INT':
      case 'TERM':
      case 'HUP':
      case 'KILL':
        return this.#signal(`SIG${how}`)
    }
  }

  /** To pillion itself. */
  #signal(name: NodeJS.Signals): void {
    if (this.place !== 'terminal' && this.place !== 'head') return this.program.signal(name)
    const own = descendantsOf(this.program.pid).find(
      ({command}) => /pillion\.js/.test(command) && !/^(sh|script) /.test(command)
    )
    if (own === undefined) return
    try {
      process.kill(own.pid, name)
    } catch {
      // it has ended
    }
  }

  /** What is wrong with how it has ended. */
  async faults(): Promise<readonly string[]> {
    const {code: exitCode, signal} = await this.program.exited
    const {text: out} = this.program.stdout
    const {text: err} = this.program.stderr
    const of = (what: string): string => `${this.title}: ${what}`
    const faults: string[] = []
    const code = this.place === 'head' ? Number(/^CODE (\d+)$/m.exec(err)?.[1] ?? -1) : exitCode
    for (const [name, text] of [
      ['stdout', out],
      ['stderr', err]
    ] as const) {
      if (/^ {4,}at .*(file:|node:|dist|\.js:)/m.test(text)) faults.push(of(`a stack trace on ${name}: ${text}`))
      if (/\(node:\d+\)|EPIPE|ECONNRESET|EIO|undefined|\[object/.test(text)) faults.push(of(`${name} says ${text}`))
    }
    if (/MODES DIFFER/.test(out)) faults.push(of('the modes of the terminal differ'))
    if (this.place === 'terminal' && this.disturbed !== 'hang-up') faults.push(...screenFaults(out).map(of))
    const isJson = this.words.isJson === true && !['head', 'no stdout', 'full', 'terminal'].includes(this.place)
    if (isJson && this.disturbed !== 'reader gone' && !isWhole(out)) faults.push(of(`half of a document: ${out}`))
    if (isJson && this.disturbed === undefined && code === 0 && out === '') faults.push(of('no document'))
    if (!this.#mayEndWith(code, signal)) faults.push(of(`ends with ${code ?? signal}: ${out}${err}`))
    const isSilent = out.trim() === '' && err.trim() === ''
    if (code === 1 && this.disturbed === undefined && isSilent && (this.place === 'pipes' || this.place === 'no stdin'))
      faults.push(of(`ends with ${code} and does not say why`))
    return faults
  }

  #mayEndWith(code: number | null, signal: NodeJS.Signals | null): boolean {
    const {codes = [], fails = false} = this.words
    if (fails && code === 0) return false
    if (code !== null && [0, 1, ...codes].includes(code)) return true
    if (this.disturbed === 'hang-up') return true
    if (this.place === 'head' && code === -1) return true // who says it has no reader
    if (signal === 'SIGKILL' || code === 137) return true // the walk kills runs
    if (this.disturbed === undefined) return false
    if (signal !== null) return this.disturbed.startsWith(signal.slice(3))
    const number = {INT: 130, 'INT twice': 130, 'Ctrl-C': 130, TERM: 143, HUP: 129, KILL: 137} as const
    return code === number[this.disturbed as keyof typeof number]
  }
}

/** What it switched on and did not switch off. */
function screenFaults(out: string): readonly string[] {
  const faults = []
  for (const [mode, on, off] of [
    ['?25', 'l', 'h'],
    ['?1049', 'h', 'l'],
    ['?2004', 'h', 'l'],
    ['?1000', 'h', 'l']
  ] as const) {
    const last = [out.lastIndexOf(`\x1b[${mode}${on}`), out.lastIndexOf(`\x1b[${mode}${off}`)] as const
    if (last[0] > last[1]) faults.push(`the terminal is left with ${mode}${on}`)
  }
  return faults
}

/** One document, or one in each line; nothing is also whole. */
function isWhole(text: string): boolean {
  try {
    if (text.trim() !== '') JSON.parse(text)
    return true
  } catch {
    return (
      text.endsWith('\n') &&
      text
        .trimEnd()
        .split('\n')
        .every(line => line !== text && isWhole(line))
    )
  }
}
