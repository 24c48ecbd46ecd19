import {UserError} from '../../../model/errors.ts'
import {stopLevels} from '../../../supervisor/order/stop-order.ts'
import type {AppObjects} from '../object.ts'
import type {ClusterAccess} from './access.ts'
import {APP_KINDS} from './check.ts'

/** Beyond the grace of their pods objects have this time to go, in ms. */
const EXTRA_MS = 60_000

export interface TakeDownOptions<App extends Pick<AppObjects, 'id' | 'dependsOn'>> {
  readonly access: ClusterAccess
  /** Selects the objects: `pillion/template=shop`. */
  readonly label: string
  /** Dapr's kinds, whose objects go last. */
  readonly daprKinds: readonly string[]
  /** The apps of the template, for their order; other apps go first. */
  readonly apps: readonly App[]
  /** The longest grace of an app, in ms. */
  readonly graceMs: number
  /** Aborted: kubectl deletes all at once and waits for nothing. */
  readonly now: AbortSignal
  readonly onDelete?: (app: App) => void
}

/** Deletes the objects of a label: dependents first, then what they need once their pods are gone, then resources. Returns what kubectl deleted. Rejects with a UserError. */
export async function takeDown<App extends Pick<AppObjects, 'id' | 'dependsOn'>>(
  options: TakeDownOptions<App>
): Promise<readonly string[]> {
  const {access, label, daprKinds, apps, now, onDelete} = options
  const kinds = APP_KINDS.join(',')
  const graceMs = options.graceMs + EXTRA_MS
  const removed: string[] = []
  const remove = async (what: string, selector: string): Promise<void> => {
    const args = ['delete', what, '-l', selector]
    const ending = now.aborted ? ['--wait=false'] : ['--cascade=foreground', `--timeout=${Math.ceil(graceMs / 1000)}s`]
    const text = await access.kubectl.text([...args, ...ending], {
      limitMs: 2 * graceMs,
      signal: now.aborted ? undefined : now
    })
    removed.push(...text.split('\n').filter(line => line.endsWith(' deleted') || line.includes(' deleted from ')))
  }
  try {
    const levels = stopLevels(apps.map(app => ({app, plan: {id: app.id, dependsOn: app.dependsOn}})))
    const known = apps.map(({id}) => id).join(',')
    if (known !== '') await remove(kinds, `${label},app,app notin (${known})`)
    for (const level of levels) {
      for (const {app} of level) onDelete?.(app)
      await remove(kinds, `${label},app in (${level.map(({app}) => app.id).join(',')})`)
    }
  } catch (error) {
    if (!now.aborted || !(error instanceof UserError)) throw error
  }
  // a run that is still at its start may have made more meanwhile
  await remove([...APP_KINDS, ...daprKinds].join(','), label)
  return removed
}
