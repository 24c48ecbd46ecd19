import {isDeepStrictEqual} from 'node:util'
import {unreadLines} from '../../model/environment.ts'
import {orElse} from '../../model/or-else.ts'
import {readTextFile} from '../../model/read-file.ts'
import type {TemplateMistake} from '../../model/errors.ts'
import type {AppPlan} from '../../model/plan.ts'
import {whyNotFound} from '../../platform/program-version.ts'
import type {Template} from './decode.ts'
import {explain, MAX_MISTAKES, placed, placeText, type Mistake, type Source} from './diagnose.ts'
import type {Entry} from './service-versions.ts'
import type {Yaml} from './source.ts'
import {repeatedKeys, wrongKeys} from './unknown-keys.ts'
import {existsSync} from 'node:fs'
import {resolve} from 'node:path'
import type {Spot} from '../yaml/place.ts'
import type {Settings} from './merge.ts'
import {asList, quoted} from './values.ts'

/** A probable mistake in a valid template, or a key that Dapr ignores. */
export interface Finding extends TemplateMistake {
  /** `error`: the template cannot run as it is. */
  readonly severity: 'error' | 'warning'
  /** Place, quoted line, carets and the right form, ready to print. */
  readonly explanation: string
}

/** Returns a finding in one line: `dapr.yaml:5:5: comand is ignored: unknown key (did you mean command?)`. */
export const placedText = ({message, place: {file, line, column}, hint}: TemplateMistake): string =>
  `${file}:${line}:${column}: ${message}${hint === '' ? '' : ` (${hint})`}`

export interface CheckedTemplate {
  readonly template: Template
  readonly entries: readonly Entry[]
  readonly source: Source
  readonly documents: readonly Yaml[]
  /** Unset variables that were replaced by nothing. */
  readonly unset: readonly Mistake[]
  /** The profiles that are asked for, if any. */
  readonly wanted?: readonly string[] | undefined
  /** PATH of the apps. Without it programs are not looked for. */
  readonly searchPath?: string | undefined
}

/** Returns probable mistakes. `run` warns of them, too. */
export function hintsIn({template, entries, source, unset, wanted, ...of}: CheckedTemplate): readonly Mistake[] {
  return [
    ...wrongKeys(template),
    ...repeatedKeys(of.documents, source),
    ...unset,
    ...oddIds(entries),
    ...entries.flatMap(({settings}) => commandMistakes(settings)),
    ...entries.flatMap(entry => missingProgram(entry, of.searchPath)),
    ...unreadLinesOf(entries),
    ...repeatedIds(entries, source, wanted),
    ...repeatedAppPorts(entries, source, wanted)
  ]
}

/** Finds lines of env files that are not understood, each file once. The messages do not quote a line: it may be a secret. */
function unreadLinesOf(entries: readonly Entry[]): readonly Mistake[] {
  const firsts = new Map(
    entries.toReversed().flatMap(({settings, plan}) => plan.envFiles.map(file => [file, settings]))
  )
  return [...firsts].flatMap(([file, settings]) => {
    const lines = unreadLines(orElse(() => readTextFile(file), ''))
    if (lines.length === 0) return []
    const [first = 0, ...more] = lines
    const others = more.length === 0 ? '' : `, and ${more.length === 1 ? '1 more line' : `${more.length} more lines`}`
    const message = `${file}:${first} is not understood${others}`
    return [{code: 'unread-line', message, hint: 'write NAME=value', spot: settings.spot('envFile')} as const]
  })
}

type Profiled = Pick<AppPlan, 'profiles'>

/** Whether two apps run at once with these profiles. Without a wanted profile, apps of different profiles are alternatives. */
export function meet({profiles: a}: Profiled, {profiles: b}: Profiled, wanted: readonly string[] = []): boolean {
  if (wanted.length > 0) return [a, b].every(names => names?.some(name => wanted.includes(name)) ?? true)
  return a === undefined || b === undefined || a.some(name => b.includes(name))
}

/** Returns mistakes as findings, in the order of the text. */
export const asFindings = (
  source: Source,
  warnings: readonly Mistake[],
  errors: readonly Mistake[] = []
): readonly Finding[] =>
  [...errors, ...warnings]
    .toSorted((a, b) => a.spot.start - b.spot.start)
    .slice(0, MAX_MISTAKES)
    .map(mistake => ({
      severity: errors.includes(mistake) ? 'error' : 'warning',
      ...placed(source, mistake),
      explanation: explain(source, mistake)
    }))

/** Finds ids that real Dapr refuses, or that URLs, headers and shells would change. */
function oddIds(entries: readonly Entry[]): readonly Mistake[] {
  return entries.flatMap(({settings, plan: {id}}) => {
    if (/^\w[-\w]*$/.test(id)) return []
    const better = id
      .normalize('NFKD')
      .replace(/\p{Mark}/gu, '')
      .replace(/[^\w-]+/g, '-')
      .replace(/^-+|-+$/g, '')
    return {
      code: 'odd-app-id',
      message: id.includes('.')
        ? `the id ${JSON.stringify(id)} has a dot: Dapr takes what follows it for a namespace, and does not start such an app`
        : `the id ${JSON.stringify(id)} does not fit into a URL or a header as it is`,
      spot: settings.spot('appID'),
      expected: 'expected letters, digits, - and _',
      hint: better === '' ? '' : `write appID: ${better}, wherever the app is called`
    }
  })
}

/** Finds entries with one id but different programs, or with one published port: an entry was copied and kept its id. */
function repeatedIds(entries: readonly Entry[], source: Source, wanted?: readonly string[]): readonly Mistake[] {
  return entries.flatMap(({settings, plan}, index) => {
    const {id, version, folder, command, published} = plan
    const first = entries
      .slice(0, index)
      .find(each => each.plan.id === id && each.plan.version === version && meet(each.plan, plan, wanted))
    if (first === undefined) return []
    const isOneProgram = first.plan.folder === folder && isDeepStrictEqual(first.plan.command, command)
    const isOneNumber = published !== undefined && published.number === first.plan.published?.number
    if (isOneProgram && !isOneNumber) return []
    const places = [first.settings, settings].map(each => placeText(source, each.spot('appID')))
    return {
      code: 'duplicate-app-id',
      message: `two entries have the id ${JSON.stringify(id)} (${places.join(' and ')}): calls to it go to one and the other in turn`,
      spot: settings.spot('appID'),
      hint: 'give each an id of its own'
    }
  })
}

function repeatedAppPorts(entries: readonly Entry[], source: Source, wanted?: readonly string[]): readonly Mistake[] {
  return entries.flatMap(({settings, plan}, index) => {
    const {port, address} = plan.channel
    const first = entries
      .slice(0, port === 0 ? 0 : index)
      .find(
        ({plan: {channel, ...other}}) =>
          channel.port === port && channel.address === address && meet(other, plan, wanted)
      )
    if (first === undefined) return []
    const ids = `${JSON.stringify(first.plan.id)} and ${JSON.stringify(plan.id)}`
    const places = `${placeText(source, first.settings.spot('appPort'))} and ${placeText(source, settings.spot('appPort'))}`
    return {
      code: 'duplicate-app-port',
      message: `the apps ${ids} have the same appPort ${port} (${places}): only one can listen there`,
      spot: settings.spot('appPort'),
      hint: 'give each app its own appPort, or write autoPort: true'
    }
  })
}

/** Words that only a shell understands: `|`, `&&`, `;`, `> file`, `2>&1`. */
const OPERATOR = /^(?:\|\|?|&&?|;|<|[012&]?>>?(?:&[012]|(?!=)[^>]*))$/
/** Programs that have such words as arguments. */
const TAKES_OPERATORS = /(?:^|\/)(?:find|fd|expr|test|\[|(?:ba|da|z)?sh)$/
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s

/** Finds commands that were written for a shell: Dapr starts programs without one. */
function commandMistakes(settings: Settings): readonly Mistake[] {
  const {command = [], ready} = settings.values
  const probe = typeof ready === 'object' ? (ready.command ?? []) : []
  return [
    ...mistakeIn(command, settings.folder, index => settings.spot('command', index)),
    ...mistakeIn(probe, settings.folder, index => settings.spot('ready', 'command', index))
  ]
}

function mistakeIn(words: readonly string[], folder: string, spotOf: (index: string) => Spot): readonly Mistake[] {
  const [first = ''] = words
  const operator = words.findIndex(word => OPERATOR.test(word))
  if (operator !== -1 && !words.slice(0, operator).some(word => TAKES_OPERATORS.test(word)))
    return [
      noShell(spotOf(String(operator)), {
        message: `${JSON.stringify(words[operator])} is an argument of ${first}: no shell reads this command`,
        hint: `for a shell, write [sh, -c, ${quoted([words.map(asShellWord).join(' ')])}]`
      })
    ]
  const [, name = '', value = ''] = ASSIGNMENT.exec(first) ?? []
  if (name !== '')
    return [
      noShell(spotOf('0'), {
        message: `${first} is no program: no shell reads this command`,
        hint: `write env: {${name}: ${JSON.stringify(value)}}`
      })
    ]
  if (words.length !== 1 || !/\S\s+\S/.test(first) || existsSync(resolve(folder, first))) return []
  return [
    noShell(spotOf('0'), {
      message: `${JSON.stringify(first)} is taken for the name of one program, with its blanks`,
      hint: `write ${asList(first)}`
    })
  ]
}

/** Finds a `command` whose program does not exist. A name with a blank has another message. */
function missingProgram({settings, plan}: Entry, outer = ''): readonly Mistake[] {
  const [program] = settings.values.command ?? []
  const searchPath = plan.env['PATH'] ?? outer
  if (program === undefined || searchPath === '' || /\$\{|\s|^\w+=/.test(program)) return []
  const message = whyNotFound([program], plan.folder, searchPath)
  const spot = settings.spot('command', '0')
  return message === '' ? [] : [{code: 'command-not-found', message, spot, hint: 'install it, or correct the command'}]
}

const noShell = (spot: Spot, texts: Pick<Mistake, 'message' | 'hint'>): Mistake => ({code: 'no-shell', spot, ...texts})

const asShellWord = (word: string): string =>
  OPERATOR.test(word) || /^[\w@%+=:,./$-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
