import {lstatSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {onlyThese, refuseProfiles, refuseUnknown} from '../../run/selection.ts'
import type {Overrides} from '../../files/config/app.ts'
import {nearestTemplate} from '../../files/config/find.ts'
import {loadTemplate, type Loaded} from '../../files/config/load.ts'
import {UserError} from '../../model/errors.ts'
import {whyNotFound} from '../../platform/program-version.ts'
import {livingRuns} from '../../control/living-runs.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import {repositoryAbove} from '../../platform/paths.ts'
import {askedRun} from './asked-run.ts'
import type {CommandContext} from './command-handler.ts'
import {flagVariables} from './flag.ts'
import type {GivenFlags} from './given-flags.ts'
import type {FreshCopy} from './fresh-copy/fresh-copy.ts'
import type {Isolation, IsolationOptions} from './isolation.ts'
import {flaggedPlan} from './flagged-plan.ts'
import {newOnes, runHints} from './commands/run-hints.ts'
import {shownPath} from './pick-run.ts'
import {signedLine} from './print.ts'
import {UP} from './say.ts'
import type {Form} from './run-form.ts'
import {surroundings} from './template-named.ts'

interface Selected extends Pick<Form, 'reread' | 'readAt' | 'hints'> {
  readonly loaded: Loaded
  readonly plan: Plan
  /** Ids of `--except`. */
  readonly except: ReadonlySet<string>
  /** Returns the plan of the command's sidecar (`up --run`), with `env` of the template's `common` and the ports of this run. Rejects with a UserError. */
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
    const {withAllMistakes} = await import('../../files/config/every-mistake.ts')
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

/** Returns the copy of a template in an added worktree, where `.git` is a file. */
async function freshCopy(files: readonly string[], call: CommandContext): Promise<FreshCopy | undefined> {
  const root = repositoryAbove(resolve(files[0] ?? '.'))
  if (files.includes('-') || root === undefined || !lstatSync(join(root, '.git')).isFile()) return undefined
  return (await import('./fresh-copy/fresh-copy.ts')).FreshCopy.of(files, call)
}

/** Decides whether this run gets ports of its own. Resolves with undefined if it uses the template's. */
async function isolationOf(
  plan: Plan,
  flags: GivenFlags,
  options: Omit<IsolationOptions, 'living'>
): Promise<Isolation | undefined> {
  const mayBeCopy = plan.copy !== undefined || repositoryAbove(dirname(plan.file)) !== undefined
  const isAnnounced = options.before === undefined && mayBeCopy && PORT.test(JSON.stringify(plan))
  const living = isAnnounced ? await seenByOthers(plan) : livingRuns(process.env)
  const mayMove = flags.isSet('isolated') || (living.length > 0 && !flags.isSet('strict-ports'))
  return mayMove ? (await import('./isolation.ts')).Isolation.of(plan, flags, {...options, living}) : undefined
}

/** Matches a possible port number in the JSON of a plan, also in a command or variable. Only a run with one announces itself early to copies that start. */
const PORT = /(?:port\w*|number)":"?[1-9]|(?:[ ='",]|\\[nt]|(?<!\w"):)\d{2,5}(?![\w.])/i

/** Returns living and starting runs, and makes this run visible to them. A run without apps uses no ports. */
async function seenByOthers({file, copy, apps}: Plan): Promise<readonly RunIdentity[]> {
  const {announceStart, ownStart} = await import('../../control/starting-runs.ts')
  const ids = apps.map(({id}) => id)
  const {living, starting} = await announceStart(process.env, ownStart(file, copy, ids))
  return [...living, ...starting.filter(({appIds}) => appIds.length > 0)]
}

/** Reads `--env`, `--lazy` and `--profile`. With `--only`, no profile is selected: it may name apps of any profile. */
const asked = (flags: GivenFlags): Pick<Overrides, 'variables' | 'profiles' | 'lazy'> => ({
  lazy: flags.isSet('lazy'),
  variables: flagVariables(flags),
  ...(!flags.names.includes('only') && {profiles: flags.list('profile')})
})

/** Applies `--only a,b`, also as `--only a b`: words have no other meaning with a template. */
const chosen = (plan: Plan, {flags, words}: CommandContext): Plan => {
  const wanted = flaggedPlan(plan, flags)
  return flags.names.includes('only') ? onlyThese(wanted, [...flags.list('only'), ...words]) : wanted
}

/** Reads `--except a,b`, also as `--except a b` if `--only` is not given, which would take the words. */
const excepted = ({flags, words}: CommandContext): ReadonlySet<string> =>
  new Set([...flags.list('except'), ...(flags.names.includes('except') && !flags.names.includes('only') ? words : [])])

/** Throws a UserError if the only word of `run` names an app of this folder's template, and no program: nothing is started. */
export async function refuseNamedApp(call: CommandContext): Promise<void> {
  const [id = ''] = call.words
  const template = nearestTemplate(process.cwd())
  if (template === undefined || whyNotFound([id], process.cwd(), process.env['PATH'] ?? '') === '') return
  const flags = call.flags.with({'run-file': [template]})
  const loaded = await loadedTemplate({...call, words: [], flags}).catch(() => undefined) // another command reports mistakes of the template
  const {apps = [], leftOut = []} = loaded?.plan ?? {}
  if (![...apps, ...leftOut].some(app => app.id === id)) return
  throw new UserError(`"${id}" is an app of ${shownPath(template)}, not a program`, {
    explanation: `${UP} --only ${id} starts it and what it depends on; in a run, pillion start ${id} does.`
  })
}
