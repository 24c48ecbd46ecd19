import type {AppPlan} from './plan.ts'

interface Planned {
  readonly plan: Pick<AppPlan, 'id' | 'dependsOn'>
}

/** Apps in stop order: each app comes after all its direct and indirect dependents. */
export function stopLevels<T extends Planned>(apps: readonly T[]): readonly (readonly T[])[] {
  const levels: T[][] = []
  let left = apps
  while (left.length > 0) {
    const needed = new Set(left.flatMap(({plan}) => plan.dependsOn.map(({id}) => id)))
    const free = left.filter(({plan}) => !needed.has(plan.id))
    const level = free.length > 0 ? free : left // a cycle, which template validation rejects
    levels.push([...level])
    left = left.filter(app => !level.includes(app))
  }
  return levels
}
