import {SIDECAR} from '#kubernetes'
import {endWithStdout, writeBytes} from '../../print.ts'
import {appPrefix, prefixed} from '../../../../observe/logging/prefix.ts'
import {terminalText} from '../../../../observe/logging/terminal-text.ts'
import {UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {tailOf} from '../../log-lines.ts'
import {idsOf} from '../../run-here.ts'
import {say} from '../../say.ts'
import {openCluster} from './open-cluster.ts'

/** `[pod/shop-1/daprd] text`, as kubectl prints a line with prefix. */
const LINE = /^\[pod\/[^/\]]+\/([^\]]+)\] (.*)$/s

/** `logs -k -a ID [-p POD] [-n NS] [-f] [--tail N] [--app]`: the log of a sidecar, as in Dapr's CLI, or of the app. */
export const logsInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const [id = '', ...others] = idsOf({words, flags})
  if (id === '') throw new UsageError('required flag(s) "app-id" not set')
  if (others.length > 0) throw new UsageError('logs -k takes the id of one app')
  endWithStdout() // `logs | head`
  const refused = ['grep', 'run-file', 'name', 'since', 'timestamps', 'version']
  const kubectl = await openCluster(flags, {refused})
  const isApp = flags.isSet('app')
  const tail = tailOf(flags)
  const pod = flags.text('pod-name') ?? ''
  const args = [
    ...(pod === '' ? ['-l', `dapr.io/app-id=${id}`] : [pod]),
    ...(flags.isSet('follow') ? ['-f'] : []),
    '--all-containers',
    '--prefix',
    '--ignore-errors',
    '--max-log-requests=200',
    `--tail=${tail === Infinity ? -1 : tail}`
  ]
  let isFound = false
  await kubectl.lines(['logs', ...args], async line => {
    const [, container = '', rest = ''] = LINE.exec(line) ?? []
    isFound = true
    if ((container !== SIDECAR) !== isApp) return
    const text = process.stdout.isTTY ? terminalText(`${rest}\n`) : `${rest}\n`
    await writeBytes(process.stdout, isApp ? prefixed(text, appPrefix(id)) : text)
  })
  if (!isFound)
    throw new UserError(`could not get logs. Please check app-id (${id}) and namespace (${kubectl.namespace})`)
  if (!isApp) say(process.stdout, 'success', 'Fetched logs', asJson)
  return 0
}
