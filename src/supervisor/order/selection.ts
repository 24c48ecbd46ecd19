import {UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {Plan} from '../../model/plan.ts'

/** The plan with these apps alone, and with what they depend on, directly or not. An id that no app has is refused. */
export function onlyThese(plan: Plan, ids: readonly string[]): Plan {
  const known = new Set(plan.apps.map(({id}) => id))
  for (const id of ids) if (!known.has(id)) refuse(id, known)
  const wanted = new Set(ids)
  for (const id of wanted)
    // what is added while it runs is gone through, too
    for (const app of plan.apps) if (app.id === id) for (const dependency of app.dependsOn) wanted.add(dependency.id)
  const apps = plan.apps.filter(({id}) => wanted.has(id))
  const hasService = apps.some(({fixedPort}) => fixedPort > 0)
  const {managerPort} = plan
  return {...plan, apps, managerPort: managerPort === 'usual' && !hasService ? 'none' : managerPort}
}

function refuse(id: string, known: ReadonlySet<string>): never {
  const near = nearMiss(id, known)
  throw new UserError(`--only names ${JSON.stringify(id)}, which is no app of this template`, {
    explanation: near === '' ? `The apps are: ${[...known].join(', ')}` : `Did you mean "${near}"?`
  })
}
