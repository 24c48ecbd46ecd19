import type {FaultPlan} from '../model/fault.ts'
import type {Plan} from '../model/plan.ts'
import {resolveApp, type ImpliedWatch, type Overrides} from './app.ts'
import type {Template} from './decode.ts'
import {dependenciesOf} from './dependencies.ts'
import {templateError, type Source} from './diagnose.ts'
import {readS2i} from './environment.ts'
import type {FoundTemplate} from './find.ts'
import {locateApps, type Surroundings} from './locate.ts'
import {allInstances} from './instances.ts'
import {mergeApp} from './merge.ts'
import {misspelt, noApps} from './unknown-keys.ts'
import {checkVersions, type Entry} from './service-versions.ts'

/** What a plan depends on, besides the template. */
export interface Given extends Surroundings, Overrides {
  readonly found: FoundTemplate
  readonly source: Source
  /** `--watch`: what it means for an app; left out: it was not given. */
  readonly impliedWatch?: ImpliedWatch | undefined
}

export interface ResolvedTemplate {
  readonly plan: Plan
  /** The apps with their places in the text. */
  readonly entries: readonly Entry[]
}

/** Resolves a template, in the order of Dapr's checks (`GetApps` in its CLI). Throws a `UserError` for the first mistake. */
export function resolvePlan(template: Template, {found, source, ...given}: Given): ResolvedTemplate {
  const {values, pairs} = template.top
  if ((values.version ?? 0) === 0) {
    const message = "required field 'version' not found in the provided run template file"
    const spot = pairs.get('version')?.value ?? misspelt(template.top, 'version')?.key ?? {start: 0, end: 0}
    throw templateError(source, {code: 'missing-key', message, spot, hint: 'write version: 1 at the top'})
  }
  const locations = locateApps(template, {source, ...found, ...given})
  const entries = locations.map(({app, folder, resources}) => {
    const settings = mergeApp(template, app, {source, folder})
    const s2i = readS2i(settings, given.env['PATH'] ?? '')
    return {settings, plan: resolveApp(settings, {...given, resources, s2i})}
  })
  checkVersions(entries, source)
  const dependencies = dependenciesOf(entries.map(({settings}) => settings))
  if (entries.length === 0 && values.managerPort === undefined) throw noApps(template, source)
  const faults = async (): Promise<readonly FaultPlan[]> => {
    const ids = entries.map(({plan}) => plan.id)
    return (await import('./template-faults.ts')).templateFaults(template, ids, source)
  }
  const hasService = entries.some(({plan}) => plan.fixedPort > 0)
  const plan = {
    name: values.name ?? '',
    file: found.file,
    shownAs: found.shownAs,
    managerPort: values.managerPort ?? (hasService ? ('usual' as const) : ('none' as const)),
    apps: allInstances(
      entries.map((entry, i) => {
        const watch = given.impliedWatch?.(entry, {entries, dependencies: dependencies.flat()})
        return {settings: entry.settings, plan: {...entry.plan, ...watch, dependsOn: dependencies[i] ?? []}}
      })
    ),
    ...(values.allowedOrigins !== undefined && {allowedOrigins: values.allowedOrigins}),
    ...(values.faults !== undefined && {faults})
  }
  return {plan, entries}
}
