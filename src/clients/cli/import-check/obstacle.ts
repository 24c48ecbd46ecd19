import {relative} from 'node:path'
import type {AppPlan} from '../../../model/plan.ts'
import type {Environment} from '../../../model/environment.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {ownerOf} from '../../../platform/port-owners.ts'
import {whyNotFound} from '../../../platform/program-version.ts'
import {checkDocker} from '../../doctor/doctor.ts'
import type {AppOutcome} from '../ci/outcome.ts'
import {firstBuild} from './first-build.ts'
import {missingPackages} from './packages.ts'

/** The obstacle that keeps an app from becoming ready. */
export interface Obstacle {
  readonly kind: 'program' | 'packages' | 'port' | 'variable' | 'docker' | 'crash' | 'waits' | 'build' | 'not-ready'
  readonly text: string
  /** The command that helps, for a shell in the folder of the template; '': none is known. */
  readonly command: string
}

/** An app that did not become ready, and its facts. */
interface FailedApp {
  readonly plan: AppPlan
  readonly outcome: AppOutcome
  readonly waitsFor: readonly string[]
  /** Names of variables that the template uses for the app, and that have no value. */
  readonly unset: readonly string[]
  /** The command lines of its processes, as the check ended. */
  readonly processes: readonly string[]
}

export interface Around {
  readonly env: Environment
  readonly root: string
}

/** Finds what keeps an app from running: of several obstacles, the first that the user must remove. */
export async function obstacleOf(app: FailedApp, around: Around): Promise<Obstacle> {
  return (
    namedVariable(app, around) ??
    (await withoutDocker(app, around)) ??
    withoutProgram(app, around) ??
    withoutPackages(app, around) ??
    withoutOther(app) ??
    (await takenPort(app)) ??
    waiting(app) ??
    building(app, around) ??
    crash(app) ??
    notReady(app)
  )
}

const obstacle = (kind: Obstacle['kind'], text: string, command = ''): Obstacle => ({kind, text, command})

/** Returns the texts about an app that may show its obstacle: the reason of its state, its exits with their lines, its last lines. */
const linesOf = ({outcome: {lines, deaths, reason}}: FailedApp): readonly string[] => [
  reason,
  ...deaths.flatMap(death => [death.reason, ...death.lines]),
  ...lines
]

/** Finds variables without a value that the app's lines name. */
function namedVariable(app: FailedApp, {env}: Around): Obstacle | undefined {
  const lines = linesOf(app)
  const said = lines.flatMap(unsetVariables)
  const ofTemplate = app.unset.filter(name => lines.some(line => new RegExp(`\\b${name}\\b`).test(line)))
  const others = said.filter(name => ((app.plan.env[name] ?? env[name]) || '') === '')
  const all = [...new Set([...ofTemplate, ...others])]
  return all.length === 0 ? undefined : withoutValue(all)
}

export function withoutValue(names: readonly string[]): Obstacle {
  const [verb, them] = names.length === 1 ? ['has', 'it'] : ['have', 'them']
  return obstacle('variable', `${names.join(', ')} ${verb} no value: set ${them} in .env, or where pillion is started`)
}

async function withoutDocker({plan}: FailedApp, {env}: Around): Promise<Obstacle | undefined> {
  const engine = plan.command.find(
    (word, at) => /^(?:docker|podman|nerdctl)$/.test(word) && plan.command[at + 1] === 'run'
  )
  if (engine === undefined) return undefined
  if (whyNotFound([engine], plan.folder, pathOf(plan, env)) !== '')
    return obstacle('docker', `it is a container, and there is no ${engine} here`)
  const [found] = await checkDocker({apps: [plan]}, env)
  return found?.kind === 'fail'
    ? obstacle('docker', 'it is a container, and the Docker daemon does not answer')
    : undefined
}

const pathOf = (plan: AppPlan, env: Environment): string => plan.env['PATH'] ?? env['PATH'] ?? ''

function withoutPackages(app: FailedApp, {root}: Around): Obstacle | undefined {
  const found = missingPackages(app.plan.folder, linesOf(app))
  if (found === undefined) return undefined
  const command = inFolder(found.folder, found.command, root)
  return obstacle('packages', `packages are not installed: ${command}`, command)
}

/** Returns a command for a folder, to be run by a shell in the folder of the template. */
function inFolder(folder: string, command: string, root: string): string {
  const way = relative(root, folder)
  return way === '' || command === '' ? command : `(cd ${shellQuoted(way)} && ${command})`
}

/** Matches the message of a shell that does not find a program. */
const NOT_FOUND =
  /^(?:\S*sh: )?(?:line )?(?:\d+: )?([\w./@+-]+): (?:command )?not found$|^(?:\S*\/)?env: ['‘]?([\w./@+-]+)['’]?: No such file/

function withoutOther(app: FailedApp): Obstacle | undefined {
  const said = linesOf(app).flatMap(line => {
    const [, byShell, byEnv] = NOT_FOUND.exec(line.trim()) ?? []
    return byShell ?? byEnv ?? []
  })
  const [name] = said
  return name === undefined ? undefined : obstacle('program', `"${name}" is not installed: it is in no folder of PATH`)
}

/** Returns the program of a command. In `sh -c 'PORT=1 exec PROGRAM'`, by which an import passes a port, it is PROGRAM. */
function programOf([first = '', flag, text = '']: readonly string[]): string {
  if (first !== 'sh' || flag !== '-c') return first
  return /^(?:\w+=\S* )*exec ([^\s;&|]+)/.exec(text)?.[1] ?? first
}

/** Finds that the program itself is missing. Packages of its folder would not help, so that they are searched later. */
function withoutProgram({plan}: FailedApp, {env}: Around): Obstacle | undefined {
  const own = whyNotFound([programOf(plan.command)], plan.folder, pathOf(plan, env))
  const text = own.replace(' is in no folder of PATH', ' is not installed: it is in no folder of PATH')
  return own === '' ? undefined : obstacle('program', text)
}

const PORT_TAKEN =
  /EADDRINUSE|address (?:is )?already in use|port is already (?:allocated|in use)|Port \d+ (?:is|was) already in use/i

async function takenPort(app: FailedApp): Promise<Obstacle | undefined> {
  const line = linesOf(app).find(each => PORT_TAKEN.test(each))
  if (line === undefined) return undefined
  const named = /(?::|port |Port )(\d{2,5})\b/.exec(line.replaceAll(/\d\d:\d\d:\d\d/g, ''))?.[1]
  const {channel, published} = app.plan
  const port = Number(named ?? (published?.inCode || channel.port))
  if (port === 0) return obstacle('port', line)
  const owner = await ownerOf(port)
  const who =
    owner === undefined
      ? 'another app of the template, or a program of another user'
      : `${owner.command} (pid ${owner.pid})`
  return obstacle('port', `port ${port} is in use by ${who}`)
}

/** Finds that the app was not started, since a dependency did not become ready. */
function waiting({waitsFor, plan: {dependsOn}, outcome: {isOver, deaths}}: FailedApp): Obstacle | undefined {
  if (deaths.length > 0 || (waitsFor.length === 0 && !(isOver && dependsOn.length > 0))) return undefined
  const others = waitsFor.length > 0 ? waitsFor : dependsOn.map(({id}) => id)
  return obstacle('waits', `it waits for ${others.join(', ')}`)
}

/** Finds a first build that is still under way, since it takes longer than the check. */
function building(app: FailedApp, {root}: Around): Obstacle | undefined {
  const {plan, processes} = app
  const found = firstBuild(processes, linesOf(app), programOf(plan.command))
  if (found === undefined) return undefined
  const command = inFolder(plan.folder, found.command, root)
  const once = command === '' ? '' : `${command}, once, or `
  return obstacle('build', `${found.text}: ${once}a longer --timeout`, command)
}

/** Describes the last crash of the app, in the words of `pillion why`. */
function crash({outcome: {deaths}}: FailedApp): Obstacle | undefined {
  const death = deaths.at(-1)
  if (death === undefined) return undefined
  const place = death.place === '' || death.reason.includes(death.place) ? '' : ` (${death.place})`
  return obstacle('crash', `it ${death.exit}${death.reason === '' ? '' : `: ${death.reason}${place}`}`)
}

function notReady({outcome: {reason, state, name}, unset}: FailedApp): Obstacle {
  const without = unset.length === 0 ? '' : `; without a value: ${unset.join(', ')}`
  const why = reason.startsWith(`"${name}" `) ? reason.slice(name.length + 3).replace(/^(?=is )/, 'it ') : reason
  return obstacle('not-ready', `${why === '' ? `it is ${state}` : why}${without}`)
}

const NAME = '["\'`]?([A-Z][A-Z0-9_]{2,})["\'`]?'
/** A name with an underscore: it cannot be a plain word in capitals. */
const LONG_NAME = '["\'`]?([A-Z][A-Z0-9]*_[A-Z0-9_]+)["\'`]?'
const GIVEN = '(?:set|defined|given|provided|found)'

/** Messages of programs and shells about a variable that is not set. */
const UNSET = [
  `${NAME}(?: environment variable)?,? (?:(?:is|was|has) )?(?:not (?:been )?${GIVEN}|unset|undefined)\\b`,
  `${LONG_NAME}(?: environment variable)? (?:is|was|must be) (?:missing|required|${GIVEN}\\b(?<=must be \\w+))`,
  `(?:[Mm]issing|[Uu]nset|[Uu]ndefined|[Rr]equired|not (?:set|find|found|fetch|read))\\b.{0,40}\\benvironment variables?:? ${NAME}`,
  `KeyError: ${NAME}|key not found: ${NAME}`,
  `: ${NAME}: (?:parameter (?:null or )?not set|unbound variable)`
].map(text => new RegExp(text))

export const unsetVariables = (line: string): readonly string[] => [
  ...new Set(UNSET.flatMap(each => (each.exec(line) ?? []).slice(1).filter(Boolean)))
]
