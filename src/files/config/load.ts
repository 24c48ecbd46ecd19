// Turns the text of a run template into a plan: finds the file, reads it as Dapr's CLI does, and adds our own keys. The result
// is a complete plan, or one `UserError` with Dapr's text, the place, the quoted line with carets, and what to write instead.
// Reads files and checks whether paths exist; writes nothing and starts nothing.
import type {Place} from '../../model/errors.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {Overrides} from './app.ts'
import {decodeTemplate} from './decode.ts'
import {fileAt, placeOf} from './diagnose.ts'
import {findTemplates, type FoundTemplate} from './find.ts'
import {asFindings, hintsIn, type CheckedTemplate, type Finding} from './hints.ts'
import type {Surroundings} from './locate.ts'
import type {ForEach} from './merge.ts'
import type {Reading} from './nodes.ts'
import {absolutePath} from './paths.ts'
import type {YamlNode} from '../yaml/tree.ts'
import {resolvePlan, type Given} from './resolve.ts'
import {checkOurKeys} from './schema.ts'
import type {Entry} from './service-versions.ts'
import type {Opened} from './several-files.ts'
import {NoYaml, parseSource, readSource, interpolationOf} from './source.ts'

export interface WatchFlag {
  /** `--watch`: apps without a `watch` key are watched, except databases and the like. */
  readonly watch: boolean
}

/** Surroundings in which a template is loaded. */
export interface LoadContext extends Surroundings {
  readonly cwd: string
  /** All of standard input, for a template named `-`. */
  readonly readStdin: () => Buffer | string
  /** Maps the apps, and the faults, of the template. Default: stops at the first mistake. */
  readonly each?: ForEach
}

export interface Loaded {
  readonly plan: Plan
  /** The apps as the template has them, for deployments. Rejects with a `UserError` for a mistake in `kubernetes`. */
  readonly deployable: () => Promise<readonly Entry[]>
  /** Returns probable mistakes. `run` warns of them, too. */
  readonly hints: () => readonly Finding[]
  /** All that loading accepts although it is probably a mistake, in the order of the text. */
  readonly findings: () => Promise<readonly Finding[]>
  /** Returns the place of each app's entry, by its id. */
  readonly places: () => ReadonlyMap<string, Place>
  /** Returns the plan of a sidecar for a command outside the template. Rejects with a `UserError`. */
  readonly commandSidecar: (id: string) => Promise<AppPlan>
}

/** Content of all files of a template. */
export interface Written extends Pick<CheckedTemplate, 'source' | 'documents' | 'unset'> {
  readonly found: FoundTemplate
  readonly reading: Reading
  readonly root: YamlNode
}

/** Loads the template of `-f`. Each further file changes the files before it. Rejects with a `UserError` for the first mistake that prevents a run. */
export async function loadTemplate(
  typed: string | readonly string[],
  around: LoadContext,
  overrides: Overrides & WatchFlag
): Promise<Loaded> {
  const files = await openFiles(findTemplates([typed].flat(), around.cwd), around)
  try {
    return await loadFiles(files, around, overrides)
  } catch (error) {
    const {explainForeign} = await import('./foreign-file.ts')
    throw await explainForeign(error, files)
  }
}

/** Returns the plan of opened files. */
export async function loadFiles(
  [first, ...others]: readonly Opened[],
  around: LoadContext,
  overrides: Overrides & WatchFlag
): Promise<Loaded> {
  if (first === undefined) throw new Error('no template is named')
  const {profiles: wanted, variables, watch} = overrides
  const several = others.length > 0 ? await import('./several-files.ts') : undefined
  const documents = [first, ...others].map(({document}) => document)
  const text = several?.joinSources([first, ...others]) ?? first.source
  const interpolation = interpolationOf(documents)
  const variablesFile =
    typeof interpolation === 'object'
      ? absolutePath(interpolation.path, fileAt(text, interpolation.at)?.folder ?? first.found.folder, around.home)
      : undefined
  const source = {...text, variablesFile}
  const own = interpolation === false ? undefined : await import('./interpolate.ts')
  const ofFile = variablesFile === undefined ? {} : own?.variablesIn(variablesFile, text.shownAs)
  const replaced = own && {...ofFile, ...around.env, ...variables}
  const unset = (replaced && own.interpolate(documents, {source, variables: replaced})) ?? []
  const reading: Reading = {source, faults: []}
  const root = several?.mergeFiles(reading, documents) ?? first.document.root
  const written = resolveWritten({...first, documents, source, unset, reading, root}, around, {
    ...overrides,
    impliedWatch: watch ? (await import('./implied-watch.ts')).impliedWatch : undefined
  })
  // resource files of the app use the same variables
  const withVariables = (app: AppPlan): AppPlan =>
    replaced === undefined ? app : {...app, resources: {...app.resources, variables: replaced}}
  const {plan, ...rest} = written
  const entries = rest.entries.map(each => ({...each, plan: withVariables(each.plan)}))
  const checked = {...rest, wanted, entries, searchPath: around.env['PATH']}
  const whole: Plan = {
    ...plan,
    apps: plan.apps.map(withVariables),
    ...(others.length > 0 && {overlays: others.map(({found}) => found.file)}),
    ...(variablesFile !== undefined && {variablesFile})
  }
  const hasProfiles = wanted !== undefined && plan.apps.some(({profiles}) => profiles !== undefined)
  const chosen = hasProfiles ? (await import('./profiles.ts')).leaveOut(whole, checked.entries, wanted) : whole
  return {
    plan: chosen,
    deployable: async () => (await import('./deployable.ts')).deployable(checked, chosen),
    // computed on demand, since the first start does not need them
    hints: () => asFindings(source, hintsIn(checked)),
    findings: async () => (await import('./findings.ts')).findingsIn(checked),
    places: () =>
      new Map(checked.entries.map(({settings}) => [settings.id, placeOf(source, settings.spot('appID').start)])),
    commandSidecar: async id => {
      const {commandSidecar} = await import('./command-sidecar.ts')
      const sidecar = {...around, ...overrides, id, source, folder: first.found.folder}
      return withVariables(commandSidecar(checked.template, sidecar))
    }
  }
}

/** Reads a template of one file. Throws a `UserError` if it cannot be read, `NoYaml` if it is not YAML. */
export function openFile(found: FoundTemplate, {readStdin}: LoadContext): Opened {
  const source = readSource(found, readStdin)
  return {found, source, document: parseSource(source)}
}

/** Reads the files of a template. Rejects with a `UserError` for an unreadable file. */
export async function openFiles(all: readonly FoundTemplate[], around: LoadContext): Promise<readonly Opened[]> {
  try {
    const [only, ...others] = all
    if (only !== undefined && others.length === 0) return [openFile(only, around)]
    return (await import('./several-files.ts')).openSeveral(all, around.readStdin)
  } catch (error) {
    throw error instanceof NoYaml ? (await import('./foreign-file.ts')).yamlMistake(error) : error
  }
}

/** Returns the plan of a written template. */
export function resolveWritten(
  {found, source, documents, unset, reading, root}: Written,
  {home, env, each}: LoadContext,
  overrides: Overrides & Pick<Given, 'impliedWatch'>
): CheckedTemplate & {readonly plan: Plan} {
  const template = decodeTemplate(reading, root)
  checkOurKeys(template, source)
  return {template, source, documents, unset, ...resolvePlan(template, {found, source, home, env, each, ...overrides})}
}
