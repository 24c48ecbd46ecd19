import {daprKinds, MANAGED_BY, MANAGER, takeDown, TEMPLATE_LABEL, templateLabel} from '#kubernetes'
import {findTemplates} from '../../../../files/config/find.ts'
import {loadTemplate, openFiles} from '../../../../files/config/load.ts'
import {UserError} from '../../../../model/errors.ts'
import type {AppPlan} from '../../../../model/plan.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {idsOf} from '../../run-here.ts'
import {say} from '../../say.ts'
import {surroundings} from '../../surroundings.ts'
import {confirmCluster, accessFor} from './open-cluster.ts'

/** `stop -k -f PATH`, `stop -k ID …`: deletes by label what runs of the template made, or of these apps, or of these apps of the template. Exit 0 where nothing is. */
export const stopInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const files = flags.list('run-file').filter(file => file !== '')
  const ids = idsOf({words, flags})
  if (files.length === 0 && ids.length === 0)
    throw new UserError('nothing to stop: add --run-file PATH, or the ids of apps')
  const {labels, apps} = files.length === 0 ? {labels: MANAGED, apps: []} : await ofTemplate(files)
  const access = await accessFor(flags, ['name', 'version'])
  await confirmCluster(access, flags, ids.length > 0 ? `delete ${ids.join(', ')}` : 'delete what a template made')
  const now = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => now.abort())
  const removed = await takeDown({
    access,
    label: ids.length === 0 ? labels : `${labels},app in (${ids.join(',')})`,
    // a resource of Dapr belongs to the template, not to one app
    daprKinds: ids.length === 0 ? await daprKinds(access) : [],
    apps,
    graceMs: Math.max(0, ...apps.map(({stop}) => stop.timeoutMs)),
    now: now.signal
  })
  for (const line of removed) say(process.stdout, 'info', line, asJson)
  const what = ids.length > 0 ? ids.join(', ') : `the run file "${files.join('" and "')}"`
  if (removed.length > 0) say(process.stdout, 'success', 'Dapr and app processes stopped successfully', asJson)
  else {
    const text = `Failed to stop: there is nothing of ${what} in the namespace "${access.namespace}"`
    say(process.stderr, 'failure', text, asJson)
  }
  return 0
}

const MANAGED = `${MANAGED_BY}=${MANAGER}`

const labelOf = (plan: Parameters<typeof templateLabel>[0]): string => `${TEMPLATE_LABEL}=${templateLabel(plan)}`

type AppOrder = Pick<AppPlan, 'id' | 'dependsOn' | 'stop'>

/** The deployed template may have become invalid: only its name and, where it can be read, the order of its apps count. */
async function ofTemplate(
  files: readonly string[]
): Promise<{readonly labels: string; readonly apps: readonly AppOrder[]}> {
  const around = surroundings()
  try {
    const {plan} = await loadTemplate(files, around, {watch: false})
    return {labels: labelOf(plan), apps: plan.apps}
  } catch (error) {
    if (!(error instanceof UserError) || files.includes('-')) throw error
    const all = await openFiles(findTemplates(files, around.cwd), around)
    const written = all.flatMap(({document: {root}}) => (root.kind === 'map' ? root.pairs : []))
    const node = written.findLast(pair => pair.name === 'name')?.node
    const [opened] = all
    const name = node === undefined ? '' : node.kind === 'scalar' ? node.text : '${'
    if (opened === undefined || name.includes('${')) throw error
    return {labels: labelOf({name, file: opened.found.file}), apps: []}
  }
}
