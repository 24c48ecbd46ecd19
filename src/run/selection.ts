import {UserError} from '../model/errors.ts'
import {nearMiss} from '../model/near-miss.ts'
import type {AppPlan, Plan} from '../model/plan.ts'

/** Reduces a plan to these apps and their direct and indirect dependencies; the others can be started during the run. Throws a UserError for an unknown id. */
export function onlyThese(plan: Plan, ids: readonly string[]): Plan {
  refuseUnknown(plan, ids, '--only')
  const wanted = withDependencies(plan, ids)
  const apps = plan.apps.filter(({id}) => wanted.has(id))
  const hasService = apps.some(({fixedPort}) => fixedPort > 0)
  const {managerPort} = plan
  // apps that `--only` leaves out can be started despite their profiles
  const others = [...plan.apps.filter(({id}) => !wanted.has(id)), ...(plan.leftOut ?? [])]
  const leftOut = others.map(withoutProfiles)
  return {...plan, apps, leftOut, managerPort: managerPort === 'usual' && !hasService ? 'none' : managerPort}
}

function withDependencies({apps}: Plan, ids: readonly string[]): ReadonlySet<string> {
  const wanted = new Set(ids)
  // the loop also covers ids that it adds
  for (const id of wanted)
    for (const app of apps) if (app.id === id) for (const dependency of app.dependsOn) wanted.add(dependency.id)
  return wanted
}

function withoutProfiles(app: AppPlan): AppPlan {
  const {profiles, ...rest} = app
  return profiles === undefined ? app : rest
}

/** Throws a UserError for an id that no app of the plan has; `flag`: the flag that named it. */
export function refuseUnknown({apps, leftOut = []}: Plan, ids: Iterable<string>, flag: string): void {
  const known = new Set([...apps, ...leftOut].map(({id}) => id))
  for (const id of ids) {
    if (known.has(id)) continue
    const near = nearMiss(id, known)
    throw new UserError(`${flag} names ${JSON.stringify(id)}, which is not an app of this template`, {
      explanation: near === '' ? `The apps are: ${[...known].join(', ')}` : `Did you mean "${near}"?`,
      code: 'no-such-app'
    })
  }
}

/** Throws a UserError for a profile that no app of the plan has. */
export function refuseProfiles({apps, leftOut = []}: Plan, names: readonly string[]): void {
  const known = new Set([...apps, ...leftOut].flatMap(({profiles = []}) => profiles))
  for (const name of names) {
    if (known.has(name)) continue
    const near = nearMiss(name, known)
    const all = known.size === 0 ? 'No app has profiles.' : `The profiles are: ${[...known].join(', ')}`
    throw new UserError(`--profile names ${JSON.stringify(name)}, which no app of this template has`, {
      explanation: near === '' ? all : `Did you mean "${near}"?`
    })
  }
}
