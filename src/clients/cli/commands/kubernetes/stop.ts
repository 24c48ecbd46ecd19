import {
  ObjectStore,
  takeDown,
  type TakeDownOptions,
  MANAGED_BY,
  MANAGER,
  TEMPLATE_LABEL,
  secretName,
  templateLabel,
  objectName
} from '#kubernetes'
import {findTemplates} from '../../../../files/config/find.ts'
import {loadTemplate, openFiles} from '../../../../files/config/load.ts'
import {UserError} from '../../../../model/errors.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {idsOf} from '../../run-here.ts'
import {say} from '../../say.ts'
import {surroundings} from '../../surroundings.ts'
import {confirmCluster, accessFor, withCluster} from './open-cluster.ts'

/** `stop -k -f PATH`, `stop -k ID …`: deletes by label what runs of the template made, or of these apps, or of these apps of the template. Exit 0 where nothing is. */
export const stopInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const files = flags.list('run-file').filter(file => file !== '')
  const ids = idsOf({words, flags})
  if (files.length === 0 && ids.length === 0)
    throw new UserError('nothing to stop: add --run-file PATH, or the ids of apps')
  const {labels, apps} = files.length === 0 ? {labels: MANAGED, apps: []} : await ofTemplate(files)
  const access = accessFor(flags, ['name', 'version'])
  await confirmCluster(access, flags, ids.length > 0 ? `delete ${ids.join(', ')}` : 'delete what a template made')
  return withCluster(access, asJson, async client => {
    const store = new ObjectStore(client)
    if (ids.length === 0) await store.lookUpDapr() // its resources are none of single apps, whatever labels they have
    // who may make a Secret may not always list all of them
    for (const id of ids.length > 0 ? ids : apps.map(app => app.id))
      store.expected.push({apiVersion: 'v1', kind: 'Secret', metadata: {name: secretName(id), labels: {}}})
    const end = new AbortController()
    const stopNow = (): void => {
      end.abort()
      client.hurry()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopNow)
    const what = ids.length > 0 ? ids.join(', ') : `the run file "${files.join('" and "')}"`
    const place = `the namespace "${store.namespace}"`
    const count = await takeDown({
      store,
      labels: ids.length === 0 ? labels : `${labels},app in (${ids.join(',')})`,
      apps,
      now: end.signal,
      onWait: client.onWait,
      onDelete: (_, objects) => {
        for (const object of objects)
          say(process.stdout, 'info', `Deleting ${objectName(object)} from Kubernetes`, asJson)
      }
    })
    if (count > 0) say(process.stdout, 'success', 'Dapr and app processes stopped successfully', asJson)
    else say(process.stderr, 'failure', `Failed to stop: there is nothing of ${what} in ${place}`, asJson)
    const hidden = [...store.hidden].join(', ')
    const unseen = `you may not list ${hidden} in ${place}: what a run made of these is still there`
    if (hidden !== '') say(process.stderr, 'warning', unseen, asJson)
    return 0
  })
}

const MANAGED = `${MANAGED_BY}=${MANAGER}`

const labelOf = (plan: Parameters<typeof templateLabel>[0]): string => `${TEMPLATE_LABEL}=${templateLabel(plan)}`

/** The deployed template may have become invalid: only its name and, where it can be read, the order of its apps count. */
async function ofTemplate(files: readonly string[]): Promise<Pick<TakeDownOptions, 'labels' | 'apps'>> {
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
