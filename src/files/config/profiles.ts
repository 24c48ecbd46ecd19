import {UserError} from '../../model/errors.ts'
import {isList} from '../../model/is-object.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {insideFor} from './dependencies.ts'
import type {Mistake} from './diagnose.ts'
import type {Settings} from './merge.ts'
import type {Entry} from './service-versions.ts'

/** Returns the plan without apps of other profiles, which can be started during the run. Throws a `UserError` if a dependency is left out, or all apps are. */
export function leaveOut(plan: Plan, entries: readonly Entry[], wanted: readonly string[]): Plan {
  const isWanted = ({profiles}: AppPlan): boolean => profiles?.some(name => wanted.includes(name)) ?? true
  const apps = plan.apps.filter(isWanted)
  const leftOut = plan.apps.filter(app => !isWanted(app))
  const staying = new Set(apps.map(({id}) => id))
  const ids = leftOut.map(({id}) => id).filter(id => !staying.has(id))
  for (const {settings, plan: app} of entries.filter(each => isWanted(each.plan)))
    for (const {id, profiles = []} of leftOut)
      if (ids.includes(id) && dependsOn(plan, app, id))
        settings.refuse({...lacking(settings, id, profiles), key: 'dependsOn'})
  if (apps.length === 0 && plan.managerPort === 'none')
    throw new UserError('No apps to run', {
      stream: 'stdout',
      code: 'no-apps',
      explanation: `Every app has profiles. Add one: --profile ${leftOut[0]?.profiles?.[0] ?? ''}`
    })
  return {...plan, apps, leftOut}
}

const dependsOn = ({apps}: Plan, {id, version}: AppPlan, on: string): boolean =>
  apps.some(app => app.id === id && app.version === version && app.dependsOn.some(each => each.id === on))

const lacking = (settings: Settings, id: string, profiles: readonly string[]) => ({
  code: 'needs-profile' as const,
  inside: insideFor(settings, id),
  message: `app ${JSON.stringify(settings.id)} depends on ${JSON.stringify(id)}, which starts only with ${profiles.map(name => `--profile ${name}`).join(' or ')}`,
  hint: `add the flag, or give ${settings.id} the same profiles`
})

/** Whether an app with these profiles runs in every run in which an app with `own` does. */
const covers = (profiles: readonly string[] | undefined, own: readonly string[]): boolean =>
  profiles === undefined || (own.length > 0 && own.every(name => profiles.includes(name)))

/** Returns apps of one profile that need an app of another profile. */
export const lackingProfiles = (entries: readonly Entry[]): readonly Mistake[] => lackingIn(entries, true)

/** Returns apps that start without a profile, and need an app with one: without `--profile` the template cannot run. */
export const alwaysLacking = (entries: readonly Entry[]): readonly Mistake[] => lackingIn(entries, false)

function lackingIn(entries: readonly Entry[], haveProfiles: boolean): readonly Mistake[] {
  return entries.flatMap(({settings}) => {
    const own = settings.values.profiles ?? []
    if (own.length > 0 !== haveProfiles) return []
    const needed = settings.values.dependsOn ?? []
    const ids = isList(needed) ? needed : Object.keys(needed)
    return ids.flatMap(id => {
      const others = entries.filter(({plan}) => plan.id === id).map(({plan}) => plan.profiles)
      if (others.length === 0 || others.some(profiles => covers(profiles, own))) return []
      const {inside, ...rest} = lacking(settings, id, others[0] ?? [])
      return [{...rest, spot: settings.spot('dependsOn', ...inside)}]
    })
  })
}
