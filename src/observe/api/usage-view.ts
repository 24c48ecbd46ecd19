import type * as Api from '../../model/api.generated.ts'
import {usageOf} from '../../platform/usage.ts'

/** Memory and CPU time of the process groups of apps. */
export async function usageView(apps: readonly Api.App[]): Promise<Api.Usage> {
  const groups = new Set(apps.map(({pid}) => pid).filter(pid => pid > 0))
  const usage = await usageOf(groups)
  return {at: new Date().toISOString(), groups: [...usage].map(([pid, used]) => ({pid, ...used}))}
}
