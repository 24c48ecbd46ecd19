import {SIDECAR} from '#kubernetes'
import {endWithStdout, writeBytes} from '../../print.ts'
import {appPrefix, prefixed} from '../../../../observe/logging/prefix.ts'
import {terminalText} from '../../../../observe/logging/terminal-text.ts'
import {UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {tailOf} from '../../log-lines.ts'
import {idsOf} from '../../run-here.ts'
import {say} from '../../say.ts'
import {accessFor} from './open-cluster.ts'

/** The names of a pod and of its own containers in a line. */
const NAMES = 'jsonpath={range .items[*]}{.metadata.name} {.spec.containers[*].name}{"\\n"}{end}'

/** `logs -k -a ID [-p POD] [-n NS] [-f] [--tail N] [--app]`: the log of a sidecar, as in Dapr's CLI, or of the app. */
export const logsInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const [id = '', ...others] = idsOf({words, flags})
  if (id === '') throw new UsageError('required flag(s) "app-id" not set')
  if (others.length > 0) throw new UsageError('logs -k takes the id of one app')
  endWithStdout() // `logs | head`
  const hereAlone = ['grep', 'run-file', 'name', 'since', 'timestamps', 'version']
  const {kubectl, namespace} = await accessFor(flags, hereAlone)
  const podName = flags.text('pod-name') ?? ''
  const found = (await kubectl.text(['get', 'pods', '-l', `dapr.io/app-id=${id}`, '-o', NAMES])).split('\n')
  const all = found
    .map(line => line.split(' '))
    .filter(([pod = '']) => pod !== '' && (podName === '' || pod === podName))
  if (all.length === 0)
    throw new UserError(`could not get logs. Please check app-id (${id}) and namespace (${namespace})`)
  const isApp = flags.isSet('app')
  const tail = tailOf(flags)
  const options = [...(flags.isSet('follow') ? ['-f'] : []), ...(tail === Infinity ? [] : [`--tail=${tail}`])]
  const onLine = async (line: string): Promise<void> => {
    const text = process.stdout.isTTY ? terminalText(`${line}\n`) : `${line}\n`
    await writeBytes(process.stdout, isApp ? prefixed(text, appPrefix(id)) : text)
  }
  // the app's container: the one named like its id, or the only one that is not a sidecar
  const own = (names: readonly string[]): string =>
    (names.includes(id) ? id : names.find(name => name !== SIDECAR)) ?? id
  const pods = isApp ? all : all.slice(0, 1)
  await Promise.all(
    pods.map(async ([pod = '', ...names]) =>
      kubectl.lines(['logs', pod, '-c', isApp ? own(names) : SIDECAR, ...options], onLine)
    )
  )
  if (!isApp) say(process.stdout, 'success', 'Fetched logs', asJson)
  return 0
}
