import {UserError} from '../model/errors.ts'
import type {Plan} from '../model/plan.ts'
import {resolveApp} from './app.ts'
import type {Template} from './decode.ts'
import {dependenciesOf} from './dependencies.ts'
import {templateError, type Source} from './diagnose.ts'
import {readS2i} from './environment.ts'
import type {Found} from './find.ts'
import {locateApps, type Surroundings} from './locate.ts'
import {allInstances} from './instances.ts'
import {mergeApp} from './merge.ts'
import {checkVersions} from './service-versions.ts'

/** The inputs of a plan besides the template. */
export interface Given extends Surroundings {
  readonly found: Found
  readonly source: Source
  /** `--watch` */
  readonly watch: boolean
}

/** The plan of a template, in the order of Dapr's checks (`GetApps` in its CLI). Throws a `UserError` for the first mistake. */
export function resolvePlan(template: Template, {found, source, ...given}: Given): Plan {
  const {values, pairs} = template.top
  if ((values.version ?? 0) === 0) {
    const message = "required field 'version' not found in the provided run template file"
    const spot = pairs.get('version')?.value ?? {start: 0, end: 0}
    throw templateError(source, {message, spot, hint: 'write version: 1 at the top'})
  }
  const locations = locateApps(template, {source, ...found, ...given})
  const entries = locations.map(({app, folder, resources}) => {
    const settings = mergeApp(template, app, {source, folder})
    const s2i = readS2i(settings, given.env['PATH'] ?? '')
    return {settings, plan: resolveApp(settings, {home: given.home, watch: given.watch, resources, s2i})}
  })
  checkVersions(entries, source)
  const dependencies = dependenciesOf(entries.map(({settings}) => settings))
  if (entries.length === 0 && values.managerPort === undefined)
    throw new UserError('No apps to run', {stream: 'stdout'})
  const hasService = entries.some(({plan}) => plan.fixedPort > 0)
  return {
    name: values.name ?? '',
    file: found.file,
    shownAs: found.shownAs,
    managerPort: values.managerPort ?? (hasService ? 'usual' : 'none'),
    apps: allInstances(
      entries.map(({settings, plan}, i) => ({settings, plan: {...plan, dependsOn: dependencies[i] ?? []}}))
    )
  }
}
