import {homedir} from 'node:os'
import {
  allObjects,
  checkObjects,
  ClusterRun,
  listText,
  readCluster,
  templateObjects,
  SIDECAR,
  type Say
} from '#kubernetes'
import {asBytes} from '../../../../model/bytes.ts'
import {loadTemplate} from '../../../../files/config/load.ts'
import {UserError} from '../../../../model/errors.ts'
import {openAppLogs} from '../../../../observe/logging/app-log.ts'
import {Console} from '../../../../observe/logging/console.ts'
import {RunLog} from '../../../../observe/logging/run-log.ts'
import type {Plan} from '../../../../model/plan.ts'
import {refuseProfiles} from '../../../../supervisor/order/selection.ts'
import {wantsColours} from '../../colours.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {flagVariables} from '../../env-flag.ts'
import {HERE_ALONE, RUN_IN_CLUSTER} from '../../entries/run.ts'
import {guard} from '../../guard.ts'
import {warnOfIgnored} from '../ignored-flags.ts'
import {LineView, logStyleOf, prefixesFor} from '../../log-style.ts'
import {signedLine} from '../../print.ts'
import {shownStatus} from '../../say.ts'
import {surroundings} from '../../surroundings.ts'
import {openTerminal, type Terminal} from '../../terminal.ts'
import {flagDuration} from '../../since.ts'
import {confirmCluster, accessFor} from './open-cluster.ts'
import {wantedImages} from './wanted-images.ts'

const EXIT_BUG = 70

/** `run -k -f PATH`: runs the apps of a template in a Kubernetes cluster with Dapr, until a signal, `stop -k`, or a failure. */
export const runInCluster: CommandHandler = async context => {
  const {flags, asJson} = context
  const files = flags.list('run-file').filter(file => file !== '')
  if (files.length === 0)
    throw new UserError('a single app cannot run on Kubernetes: name a run template with --run-file')
  const timeoutMs = flagDuration('timeout', flags.text('timeout') ?? '5m')
  const terminal = openTerminal()
  const say: Say = (sign, text) =>
    void (sign === 'warning'
      ? terminal.err.print(shownStatus(process.stderr, sign, text, asJson))
      : terminal.out.print(signedLine(sign, text, asJson)))
  try {
    warnOfIgnored(context, terminal, RUN_IN_CLUSTER)
    const profiles = flags.list('profile')
    const loaded = await loadTemplate(files, surroundings(), {watch: false, variables: flagVariables(flags), profiles})
    refuseProfiles(loaded.plan, profiles)
    const place = {home: homedir(), cwd: process.cwd(), variables: flagVariables(flags)}
    // report mistakes of the template before asking for confirmation
    const unbuilt = await wantedImages(loaded.plan, context)
    await templateObjects(loaded, {...place, images: unbuilt.placeholders})
    const access = await accessFor(flags, HERE_ALONE)
    const isReading = flags.isSet('dry-run') || flags.isSet('diff')
    if (!isReading) await confirmCluster(access, flags, 'run a template')
    const facts = await readCluster(access)
    const images = await unbuilt.build(access.context, terminal)
    const nativeSidecar = facts.hasNativeSidecars
    const objects = await templateObjects(loaded, {...place, namespace: access.namespace, nativeSidecar, images})
    for (const text of objects.warnings) say('warning', text)
    const checked = await checkObjects(access, facts, objects)
    if (isReading) {
      const args = ['diff', '--server-side', '--field-manager=pillion', '-f', '-']
      // exit code 1 means that there are differences; kubectl hides the values of Secrets
      const diff = {input: listText(allObjects(objects)), maxCode: 1}
      const text = flags.isSet('diff') ? await access.kubectl.text(args, diff) : checked.text
      const deleted = checked.surplus.map(name => `${name} deleted (server dry run)`)
      process.stdout.write([text, ...deleted].flatMap(line => (line === '' ? [] : `${line}\n`)).join(''))
      return 0
    }
    const logs = await openLogs(loaded.plan, terminal, say, context)
    const lived = new ClusterRun({access, facts, objects, checked, timeoutMs, say, write: logs.write})
    const hasBug = guard(lived, terminal, {asJson})
    try {
      const isHealthy = await lived.run()
      return hasBug() ? EXIT_BUG : isHealthy ? 0 : 1
    } finally {
      await logs.close()
    }
  } finally {
    await terminal.flush()
  }
}

/** Opens the console and the files of all apps. */
async function openLogs({apps, ...plan}: Plan, terminal: Terminal, say: Say, {flags}: CommandContext) {
  const isPainted = wantsColours(terminal.isTerminal, process.env)
  const view = new LineView({hasTimes: flags.isSet('timestamps'), isPainted})
  const prefixOf = prefixesFor({...plan, apps}, {style: logStyleOf(flags.text('log-style')), isPainted})
  const terminalConsole = new Console(terminal.out)
  // the files have all lines
  const runLog = new RunLog({lines: 0, bytes: 0})
  const open = apps.map(async ({id, logs}, index) => {
    const consolePrefix = prefixOf(id, index)
    const both = await openAppLogs({
      id,
      plan: logs,
      level: 'debug',
      source: {appId: id, instance: '', version: '', isJson: false},
      hasCommand: true,
      startedAt: new Date(),
      console: terminalConsole,
      ...(consolePrefix !== undefined && {consolePrefix: asBytes(consolePrefix)}),
      view,
      isTerminal: terminal.isTerminal,
      runLog: runLog.writer(id),
      warn: text => say('warning', text)
    })
    say('info', `Writing log files to directory : ${logs.folder}`)
    return [id, both] as const
  })
  const all = new Map(await Promise.all(open))
  return {
    write: async (id: string, container: string, line: string): Promise<void> => {
      if (container === SIDECAR) all.get(id)?.sidecar.write(`${line}\n`, 'error')
      else await all.get(id)?.app.sink({app: id, stream: 'stdout', text: `${line}\n`})
    },
    close: async (): Promise<void> => {
      for (const {app, sidecar} of all.values()) await Promise.all([app.close(), sidecar.close()])
    }
  }
}
