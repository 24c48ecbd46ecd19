import {daprPods, SIDECAR, type Kubectl, type Pod} from '#kubernetes'
import {endWithStdout, writeBytes} from '../../print.ts'
import {appPrefix, prefixed} from '../../../../observe/logging/prefix.ts'
import {terminalText} from '../../../../observe/logging/terminal-text.ts'
import {LineSplitter} from '../../../../supervisor/process/line-splitter.ts'
import {UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {tailOf} from '../../log-lines.ts'
import {idsOf} from '../../run-here.ts'
import {say, sayError} from '../../say.ts'
import {accessFor} from './open-cluster.ts'

/** `logs -k -a ID [-p POD] [-n NS] [-f] [--tail N] [--app]`: the log of a sidecar, as in Dapr's CLI, or of the app. */
export const logsInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const [id = '', ...others] = idsOf({words, flags})
  if (id === '') throw new UsageError('required flag(s) "app-id" not set')
  if (others.length > 0) throw new UsageError('logs -k takes the id of one app')
  endWithStdout() // `logs | head`
  const hereAlone = ['grep', 'run-file', 'name', 'since', 'timestamps', 'version']
  const {kubectl, namespace} = await accessFor(flags, hereAlone)
  const podName = flags.text('pod-name') ?? ''
  const all = (await daprPods(kubectl)).filter(
    ({appId, pod}) => appId === id && (podName === '' || pod.metadata.name === podName)
  )
  const isApp = flags.isSet('app')
  const pods = isApp ? all : all.slice(0, 1)
  if (pods.length === 0)
    throw new UserError(`could not get logs. Please check app-id (${id}) and namespace (${namespace})`)
  const tail = tailOf(flags)
  const options = [...(flags.isSet('follow') ? ['-f'] : []), ...(tail === Infinity ? [] : [`--tail=${tail}`])]
  const prefix = isApp ? appPrefix(id) : ''
  const read = await Promise.all(
    pods.map(async ({pod}) => {
      const container = isApp ? ownOf(pod, id) : SIDECAR
      try {
        await write(kubectl, ['logs', pod.metadata.name, '-c', container, ...options], prefix)
        return true
      } catch (error) {
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
}

/** The app's container: the one named like its id, or the only one that is not a sidecar. */
const ownOf = ({spec}: Pod, id: string): string =>
  (spec.containers.find(({name}) => name === id) ?? spec.containers.find(({name}) => name !== SIDECAR))?.name ?? id

/** Whole lines, since several pods may write; on a terminal with control characters made visible. */
async function write(kubectl: Kubectl, args: readonly string[], prefix: string): Promise<void> {
  const lines = new LineSplitter()
  const put = async (text: string): Promise<void> => {
    if (text === '') return
    const shown = prefixed(process.stdout.isTTY ? terminalText(text) : text, prefix)
    await writeBytes(process.stdout, shown)
  }
  await kubectl.chunks(args, async chunk => put(lines.push(chunk)))
  await put(lines.end())
}
