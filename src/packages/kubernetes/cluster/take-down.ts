import {stopLevels} from '../../../supervisor/order/stop-order.ts'
import type {AppPlan} from '../../../model/plan.ts'
import {APP_KINDS} from './check.ts'
import type {Kubectl, Say} from './kubectl.ts'

export interface TakeDownOptions {
  readonly kinds: string
  /** The apps of the template, for their order. */
  readonly apps: readonly Pick<AppPlan, 'id' | 'dependsOn'>[]
  /** Shows the lines of kubectl. */
  readonly say: Say
  /** Aborted: kubectl deletes all at once and waits for nothing. */
  readonly now: AbortSignal
}

/** Deletes the objects of a label: dependents first, then what they need once their pods are gone, then all other kinds. Rejects with a UserError. */
export async function takeDown(
  kubectl: Kubectl,
  label: string,
  {kinds, apps, say, now}: TakeDownOptions
): Promise<void> {
  const onLine = (line: string): void => (line === 'No resources found' ? undefined : say('info', line))
  const remove = async (what: string, selector: string): Promise<void> => {
    const waiting = now.aborted ? ['--wait=false'] : ['--cascade=foreground', '--timeout=10m']
    await kubectl.lines(['delete', what, '-l', selector, ...waiting], onLine, now.aborted ? undefined : now)
  }
  try {
    for (const level of stopLevels(apps.map(plan => ({plan}))))
      await remove(APP_KINDS, `${label},app in (${level.map(({plan}) => plan.id).join(',')})`)
    // also what a run that is still at its start has made meanwhile
    await remove(kinds, label)
  } catch (error) {
    if (!now.aborted) throw error
    await remove(kinds, label)
  }
}
