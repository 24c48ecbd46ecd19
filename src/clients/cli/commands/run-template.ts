import {lstatSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import type {RunEvent, AppFacts} from '../../../model/events.ts'
import {instanceName, versionedName, type AppPlan, type Plan} from '../../../model/plan.ts'
import {isPlainTemplate} from '../../../model/template-name.ts'
import {onlyThese, refuseProfiles, refuseUnknown} from '../../../run/selection.ts'
import type {Overrides} from '../../../files/config/app.ts'
import {loadTemplate, type Loaded} from '../../../files/config/load.ts'
import {livingRuns} from '../../../control/living-runs.ts'
import type {RunIdentity} from '../../../control/run-file.ts'
import {repositoryAbove} from '../../../platform/paths.ts'
import {askedRun} from '../asked-run.ts'
import type {CommandContext} from '../command-handler.ts'
import {flagVariables} from '../flag.ts'
import type {GivenFlags} from '../given-flags.ts'
import {warnOfIgnored} from '../run-flags.ts'
import type {FreshCopy} from '../fresh-copy/fresh-copy.ts'
import type {Isolation, IsolationOptions} from '../isolation.ts'
import {tellLateStart} from '../late-start.ts'
import {LineView, logStyleOf, prefixesFor} from '../log-style.ts'
import {wantsColours} from '../paint.ts'
import {flaggedPlan} from '../flagged-plan.ts'
import {reloadText, sleepText} from '../reload-words.ts'
import {newOnes, runHints} from './run-hints.ts'
import {signedLine} from '../print.ts'
import {shownStatus} from '../say.ts'
import type {Form} from '../run-form.ts'
import type {Live} from '../live/live.ts'
import {surroundings} from '../template-named.ts'
import {isOnTerminal, type Terminal} from '../terminal.ts'

interface Selected extends Pick<Form, 'reread' | 'readAt' | 'hints'> {
  readonly loaded: Loaded
  readonly plan: Plan
  /** Ids of `--except`. */
  readonly except: ReadonlySet<string>
  /** The plan of a sidecar for a command of the user, with the environment of `common` and the numbers of this copy. Rejects with a UserError. */
  readonly commandPlan: (id: string) => Promise<AppPlan>
}

const filesOf = ({flags}: CommandContext): readonly string[] => flags.list('run-file').filter(file => file !== '')

const overridesOf = ({flags}: CommandContext): Parameters<typeof loadTemplate>[2] => ({
  watch: flags.isSet('watch'),
  ...asked(flags)
})

/** Reads the template that a command line names. Rejects with a UserError for all its mistakes. */
export async function loadedTemplate(call: CommandContext): Promise<Loaded> {
  const [files, around, overrides] = [filesOf(call), surroundings(), overridesOf(call)]
  return loadTemplate(files, around, overrides).catch(async (error: unknown) => {
    const {withAllMistakes} = await import('../../../files/config/every-mistake.ts')
    throw await withAllMistakes(error, text => signedLine('failure', text, call.asJson), files, around, overrides)
  })
}

/** Loads the template of `run -f PATH` and of `up`. Rejects with a UserError. */
export async function selectedApps(call: CommandContext): Promise<Selected> {
  const files = filesOf(call)
  const fresh = await freshCopy(files, call)
  await fresh?.bring()
  const readAt = Date.now() // the template may change while setup commands run, which takes minutes
  const loaded = await loadedTemplate(call).catch((error: unknown) => {
    fresh?.explained(error)
    throw error
  })
  refuseProfiles(loaded.plan, call.flags.list('profile'))
  const own = {...chosen(loaded.plan, call), asked: askedRun(call, loaded.plan)}
  const movedPorts = new Map<number, number>()
  let isolation = await isolationOf(own, call.flags, {movedPorts})
  const placed = async (wanted: Plan): Promise<Plan> => isolation?.apply(wanted) ?? {...wanted, movedPorts}
  const plan = await placed(own)
  const except = excepted(call)
  refuseUnknown(plan, except, '--except')
  await fresh?.setUp(own)
  const unseen = newOnes()
  let read = {loaded, plan}
  const again = async (): Promise<Plan> => {
    const edited = await loadTemplate(files, surroundings(), overridesOf(call))
    const wanted = chosen(edited.plan, call)
    // an edit may add a port that another copy uses
    isolation ??= await isolationOf(wanted, call.flags, {movedPorts, before: read.plan})
    read = {loaded: edited, plan: await placed(wanted)}
    return read.plan
  }
  return {
    loaded,
    plan,
    except,
    commandPlan: async id => {
      const sidecar = await read.loaded.commandSidecar(id)
      return isolation?.joined(sidecar, read.plan) ?? sidecar
    },
    hints: () => unseen([...runHints(read.loaded, read.plan), ...(isolation?.hints ?? [])]),
    reread: call.flags.isSet('watch') && !files.includes('-') ? again : undefined,
    readAt
  }
}

/**
 * `run -f PATH`: runs the apps of a template and prints Dapr's three lines for each; on a terminal `Live` shows the start instead. `up`
 * (`isUp`) of a plain template prints one line for each app once it is ready.
 */
export async function templateRun(call: CommandContext, terminal: Terminal, isUp: boolean): Promise<Form> {
  const style = logStyleOf(call.flags.text('log-style'))
  const hasTimes = call.flags.isSet('timestamps')
  const {plan, except, reread, readAt, hints} = await selectedApps(call)
  warnOfIgnored(call, terminal)
  const isPainted = wantsColours(terminal.isTerminal, process.env)
  const hasLive = isOnTerminal(call)
  const starts = isUp && isPlainTemplate(plan.file) ? new PlainStarts(plan) : undefined
  const hidesStatus = hasLive || starts !== undefined // in Dapr's words
  const hasView = hasTimes || terminal.isTerminal || hidesStatus
  const view = hasView ? new LineView({hasTimes, isPainted, hidesStatus}) : undefined
  let live: Live | undefined
  let isEnding = false
  let callOff: (() => void) | undefined
  return {
    plan,
    isJson: call.asJson,
    hints,
    reread,
    readAt,
    excepted: except,
    workMode: call.flags.isSet('forget') ? 'forgotten' : undefined,
    form: {kind: 'template', prefixOf: prefixesFor(plan, {style, isPainted}), view},
    emit: event => {
      const isShown = hasLive && live?.hasStarted !== true
      if ((hasLive || starts !== undefined) && event.type === 'stopping')
        void terminal.out.print(`\n${stoppingText(plan.apps.length)}`)
      else print(event, terminal, call.asJson, isShown || starts !== undefined)
      const line = isShown || event.type !== 'app-moved' ? '' : (starts?.lineOf(event.app()) ?? '')
      if (line !== '') void terminal.out.print(signedLine('success', line, call.asJson))
      isEnding ||= event.type === 'stopping'
      live?.hear(event)
    },
    started: async run => {
      const at = run.control?.list().dashboardUrl
      if (at !== undefined && (hasLive || starts !== undefined))
        void terminal.out.print(signedLine('info', `dashboard at ${at} (pillion dashboard opens it)`, call.asJson))
      if (view === undefined || !hasLive) {
        const tell = (text: string): void =>
          void terminal.err.print(shownStatus(process.stderr, 'pending', text, call.asJson))
        callOff = tellLateStart(run, tell)
        return
      }
      const {Live} = await import('../live/live.ts')
      if (isEnding) return
      live = new Live(terminal, run, view)
      await live.begin()
    },
    takes: signal => live?.takes(signal) === true,
    ended: () => {
      callOff?.()
      live?.end()
    }
  }
}

/** Returns the copy of a template in an added worktree, where `.git` is a file. */
async function freshCopy(files: readonly string[], call: CommandContext): Promise<FreshCopy | undefined> {
  const root = repositoryAbove(resolve(files[0] ?? '.'))
  if (files.includes('-') || root === undefined || !lstatSync(join(root, '.git')).isFile()) return undefined
  return (await import('../fresh-copy/fresh-copy.ts')).FreshCopy.of(files, call)
}

/** The start lines of a plain template: `api ready at http://localhost:5100 (0.4 s)`, once for each app. */
class PlainStarts {
  readonly #plan: Plan
  readonly #announced = new Set<string>()

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** The line of an app that has become ready for the first time; '' = none. */
  lineOf({id, version, instance, isReady, startedAt, url, nameUrl, appPort}: AppFacts): string {
    const name = versionedName({name: instanceName(id, instance), version})
    if (!isReady || startedAt === null || this.#announced.has(name)) return ''
    this.#announced.add(name)
    const isSpawned = this.#plan.apps.some(app => app.id === id && app.ready.kind === 'spawned')
    const called = url || (appPort > 0 ? `http://localhost:${appPort}` : '')
    const at = nameUrl === undefined ? called : `${nameUrl} and ${called}`
    const took = `(${((Date.now() - Date.parse(startedAt)) / 1000).toFixed(1)} s)`
    return [name, isSpawned ? 'started' : 'ready', ...(at === '' ? [] : ['at', at]), took].join(' ')
  }
}

const stoppingText = (apps: number): string => `stopping ${apps} ${apps === 1 ? 'app' : 'apps'} …\n`

/** Returns the copy's own ports. Resolves with undefined if it uses the template's. */
async function isolationOf(
  plan: Plan,
  flags: GivenFlags,
  options: Omit<IsolationOptions, 'living'>
): Promise<Isolation | undefined> {
  const mayBeCopy = plan.copy !== undefined || repositoryAbove(dirname(plan.file)) !== undefined
  const isAnnounced = options.before === undefined && mayBeCopy && PORT.test(JSON.stringify(plan))
  const living = isAnnounced ? await seenByOthers(plan) : livingRuns(process.env)
  const mayMove = flags.isSet('isolated') || (living.length > 0 && !flags.isSet('strict-ports'))
  return mayMove ? (await import('../isolation.ts')).Isolation.of(plan, flags, {...options, living}) : undefined
}

/** A number of a port in the JSON of a plan, also in a command or variable, as of a database. Only copies look up which of them are ports. */
const PORT = /(?:port\w*|number)":"?[1-9]|(?:[ ='",]|\\[nt]|(?<!\w"):)\d{2,5}(?![\w.])/i

/** Returns living and starting runs, and makes this run visible to them. A run without apps uses no ports. */
async function seenByOthers({file, copy, apps}: Plan): Promise<readonly RunIdentity[]> {
  const {announceStart, ownStart} = await import('../../../control/starting-runs.ts')
  const ids = apps.map(({id}) => id)
  const {living, starting} = await announceStart(process.env, ownStart(file, copy, ids))
  return [...living, ...starting.filter(({appIds}) => appIds.length > 0)]
}

/** `--env`, `--lazy` and `--profile`. `--only` may name apps of any profile. */
const asked = (flags: GivenFlags): Pick<Overrides, 'variables' | 'profiles' | 'lazy'> => ({
  lazy: flags.isSet('lazy'),
  variables: flagVariables(flags),
  ...(!flags.names.includes('only') && {profiles: flags.list('profile')})
})

/** `--only a,b`, and `--only a b`: words have no other meaning with a template. */
const chosen = (plan: Plan, {flags, words}: CommandContext): Plan => {
  const wanted = flaggedPlan(plan, flags)
  return flags.names.includes('only') ? onlyThese(wanted, [...flags.list('only'), ...words]) : wanted
}

/** `--except a,b`, and `--except a b` without `--only`. */
const excepted = ({flags, words}: CommandContext): ReadonlySet<string> =>
  new Set([...flags.list('except'), ...(flags.names.includes('except') && !flags.names.includes('only') ? words : [])])

/** Prints an event in the words of `executeRun` in Dapr's `cmd/run.go`. With `isShown` each app has one line in place of Dapr's lines about its start. */
function print(event: RunEvent, {out, err}: Terminal, asJson: boolean, isShown: boolean): void {
  switch (event.type) {
    case 'app-started': {
      const {id, httpPort, grpcPort, logFolder, templateShownAs, command} = event.app
      const without =
        command.length > 0
          ? ''
          : signedLine('warning', `No application command found for app "${id}" present in ${templateShownAs}`, asJson)
      const lines = [
        signedLine('info', `Validating config and starting app "${id}"`, asJson),
        without,
        signedLine('info', `Started Dapr with app id "${id}". HTTP Port: ${httpPort}. gRPC Port: ${grpcPort}`, asJson),
        signedLine('info', `Writing log files to directory : ${logFolder}`, asJson)
      ]
      void out.print(isShown ? without : lines.join(''))
      return
    }
    case 'stopping': {
      const message = 'Received signal to stop Dapr and app processes. Shutting down Dapr and app processes.'
      void out.print(`\n${shownStatus(process.stdout, 'info', message, asJson)}`)
      return
    }
    case 'reloaded':
      void out.print(shownStatus(process.stdout, 'info', reloadText(event), asJson))
      return
    case 'manager-opened':
      void out.print(signedLine('info', `Daeploy services at ${event.url}`, asJson))
      return
    case 'app-asleep':
    case 'app-woken':
      void out.print(signedLine('info', sleepText(event), asJson))
      return
    case 'template-edited':
    case 'policy-decided':
    case 'fault-changed':
    case 'replayed':
    case 'info':
      void out.print(signedLine('info', event.text, asJson))
      return
    case 'notified':
      void out.print(`${event.text}\n`)
      return
    case 'warned':
      void err.print(shownStatus(process.stderr, 'warning', event.text, asJson, event.code))
      return
    case 'sidecar-opened':
    case 'app-moved':
    case 'app-ended':
    // the app's log reports these
  }
}
