import {kindsIn, MANAGED_BY, MANAGER, takeDown, TEMPLATE_LABEL, templateLabel} from '#kubernetes'
import {loadTemplate} from '../../../../files/config/load.ts'
import {UserError} from '../../../../model/errors.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {idsOf} from '../../run-here.ts'
import {say} from '../../say.ts'
import {surroundings} from '../../surroundings.ts'
import {openCluster} from './open-cluster.ts'

/** `stop -k -f PATH`, `stop -k ID …`: deletes by label what runs of the template made, or of these apps, or of these apps of the template. Exit 0 where nothing is. */
export const stopInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const files = flags.list('run-file').filter(file => file !== '')
  const ids = idsOf({words, flags})
  if (files.length === 0 && ids.length === 0)
    throw new UserError('nothing to stop: add --run-file PATH, or the ids of apps')
  const plan = files.length === 0 ? undefined : (await loadTemplate(files, surroundings(), {watch: false})).plan
  const change = `delete ${ids.length > 0 ? ids.join(', ') : 'what a template made'}`
  const kubectl = await openCluster(flags, {refused: ['name', 'version'], change})
  const now = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => now.abort())
  const label = plan === undefined ? `${MANAGED_BY}=${MANAGER}` : `${TEMPLATE_LABEL}=${templateLabel(plan)}`
  let count = 0
  await takeDown({
    kubectl,
    label: ids.length === 0 ? label : `${label},app in (${ids.join(',')})`,
    kinds: await kindsIn(kubectl),
    apps: plan?.apps ?? [],
    say(sign, line) {
      count++
      say(process.stdout, sign, line, asJson)
    },
    now: now.signal
  })
  const what = ids.length > 0 ? ids.join(', ') : `the run file "${files.join('" and "')}"`
  const nothing = `Failed to stop: there is nothing of ${what} in the namespace "${kubectl.namespace}"`
  if (count > 0) say(process.stdout, 'success', 'Dapr and app processes stopped successfully', asJson)
  else say(process.stderr, 'failure', nothing, asJson)
  return 0
}
