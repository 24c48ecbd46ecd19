import {asUserError, daprPods, SIDECAR, type Pod} from '#kubernetes'
import {endWithStdout, writeBytes} from '../../print.ts'
import type {IncomingMessage} from 'node:http'
import {appPrefix, prefixed} from '../../../../observe/logging/prefix.ts'
import {terminalText} from '../../../../observe/logging/terminal-text.ts'
import {LineSplitter} from '../../../../supervisor/process/line-splitter.ts'
import {messageOf, UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {tailOf} from '../../log-lines.ts'
import {idsOf} from '../../run-here.ts'
import {say, sayError} from '../../say.ts'
import {accessFor, withCluster} from './open-cluster.ts'

/** `logs -k -a ID [-p POD] [-n NS] [-f] [--tail N] [--app]`: the log of a sidecar, as in Dapr's CLI, or of the app. */
export const logsInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const [id = '', ...others] = idsOf({words, flags})
  if (id === '') throw new UsageError('required flag(s) "app-id" not set')
  if (others.length > 0) throw new UsageError('logs -k takes the id of one app')
  const access = accessFor(flags, ['grep', 'run-file', 'name', 'since', 'timestamps', 'version'])
  const {namespace} = access
  endWithStdout() // `logs | head`
  return withCluster(access, asJson, async client => {
    const podName = flags.text('pod-name') ?? ''
    const all = (await daprPods(client, namespace)).filter(
      ({appId, pod}) => appId === id && (podName === '' || pod.metadata.name === podName)
    )
    const isApp = flags.isSet('app')
    const pods = isApp ? all : all.slice(0, 1)
    if (pods.length === 0)
      throw new UserError(`could not get logs. Please check app-id (${id}) and namespace (${namespace})`)
    const tail = tailOf(flags)
    const query = {follow: flags.isSet('follow') || undefined, tailLines: tail === Infinity ? undefined : tail}
    const prefix = isApp ? appPrefix(id) : ''
    const read = await Promise.all(
      pods.map(async ({pod}) => {
        const {name, namespace: of} = pod.metadata
        try {
          const container = isApp ? ownOf(pod, id) : SIDECAR
          const path = `/api/v1/namespaces/${of}/pods/${name}/log`
          const log = await client.open('GET', path, {query: {...query, container}, waits: true})
          await write(log, prefix).catch((error: unknown) => {
            throw new UserError(`the log of pod "${name}" broke off: ${messageOf(error)}`, {cause: error})
          })
          return true
        } catch (reason) {
          const error = asUserError(reason, `the log of pod "${name}"`, access.context)
          // the others are shown
          if (!(error instanceof UserError)) throw error
          sayError(error, asJson)
          return false
        }
      })
    )
    if (read.includes(false)) return 1
    if (!isApp) say(process.stdout, 'success', 'Fetched logs', asJson)
    return 0
  })
}

/** The app's container: the one named like its id, or the only one that is not a sidecar. */
const ownOf = ({spec}: Pod, id: string): string =>
  (spec.containers.find(({name}) => name === id) ?? spec.containers.find(({name}) => name !== SIDECAR))?.name ?? id

/** Whole lines, since several pods may write; on a terminal with control characters made visible. */
async function write(log: IncomingMessage, prefix: string): Promise<void> {
  const lines = new LineSplitter()
  const put = async (text: string): Promise<void> => {
    if (text === '') return
    const shown = prefixed(process.stdout.isTTY ? terminalText(text) : text, prefix)
    await writeBytes(process.stdout, shown)
  }
  for await (const chunk of log as AsyncIterable<Buffer>) await put(lines.push(chunk))
  await put(lines.end())
}
