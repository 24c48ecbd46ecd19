import {homedir} from 'node:os'
import {
  buildImages,
  checkObjects,
  ClusterRun,
  readCluster,
  SIDECAR,
  templateObjects,
  placeholders,
  unbuiltIn,
  type Say
} from '#kubernetes'
import {loadTemplate} from '../../../../files/config/load.ts'
import {UserError} from '../../../../model/errors.ts'
import {Console} from '../../../../observe/logging/console.ts'
import {RunLog} from '../../../../observe/logging/run-log.ts'
import type {Plan} from '../../../../model/plan.ts'
import {openLogs} from '../../../../run/apps/open-logs.ts'
import {refuseProfiles} from '../../../../run/selection.ts'
import {wantsColours} from '../../paint.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {flagVariables} from '../../flag.ts'
import {HERE_ALONE, RUN_IN_CLUSTER, warnOfIgnored} from '../../run-flags.ts'
import {guard} from '../../guard.ts'
import {LineView, logStyleOf, prefixesFor} from '../../log-style.ts'
import {signedLine} from '../../print.ts'
import {shownStatus} from '../../say.ts'
import {surroundings} from '../../template-named.ts'
import {openTerminal, type Terminal} from '../../terminal.ts'
import {flagDuration} from '../../since.ts'
import {openCluster} from './cluster.ts'

const EXIT_BUG = 70
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

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
    const registry = (flags.text('registry') ?? '').replace(/\/+$/, '')
    if (registry !== '' && !flags.isSet('build'))
      throw new UserError('--registry says where --build pushes images: add --build')
    const unbuilt = flags.isSet('build') ? unbuiltIn(loaded.plan.apps) : []
    await templateObjects(loaded, {...place, images: placeholders(unbuilt)})
    const kubectl = await openCluster(flags, HERE_ALONE, 'run a template')
    const {kinds, nativeSidecar} = await readCluster(kubectl)
    const onStep = (text: string): void => say('info', text)
    const images = await built(unbuilt, {context: kubectl.context, registry, onStep})
    const objects = await templateObjects(loaded, {...place, namespace: kubectl.namespace, nativeSidecar, images})
    for (const text of objects.warnings) say('warning', text)
    const surplus = await checkObjects(kubectl, kinds, objects)
    const logs = await openAll(loaded.plan, terminal, say, context)
    const lived = new ClusterRun({kubectl, kinds, objects, surplus, timeoutMs, say, write: logs.write})
    const hasBug = guard(lived, terminal, {asJson})
    try {
      await lived.run()
    } finally {
      await logs.close()
    }
    return hasBug() ? EXIT_BUG : 0
  } finally {
    await terminal.flush()
  }
}

/** Opens the console and the log files of all apps. */
async function openAll(plan: Plan, terminal: Terminal, say: Say, {flags, asJson}: CommandContext) {
  const isPainted = wantsColours(terminal.isTerminal, process.env)
  const needs = {
    form: {
      kind: 'template',
      prefixOf: prefixesFor(plan, {style: logStyleOf(flags.text('log-style')), isPainted}),
      view: new LineView({hasTimes: flags.isSet('timestamps'), isPainted})
    },
    output: terminal.out,
    isTerminal: terminal.isTerminal,
    isJson: asJson,
    console: new Console(terminal.out),
    reporter: {warn: (_code: unknown, text: string) => say('warning', text)}
  } as const
  // keeps no lines in memory: the log files have them all
  const runLog = new RunLog({lines: 0, bytes: 0})
  const open = plan.apps.map(async (app, index) => {
    const {id, logs} = app
    say('info', `Writing log files to directory : ${logs.folder}`)
    // an app without a command gets no log file: the id is shown in place of the command in the image
    const withFile = {...app, command: [id]}
    return [id, await openLogs(withFile, {...needs, name: id, index, runLog: runLog.writer(id)})] as const
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

/** Builds images and delivers them to the cluster, until a signal. Rejects with a UserError. */
async function built(
  unbuilt: Parameters<typeof buildImages>[0],
  options: Omit<Parameters<typeof buildImages>[1], 'signal'>
): ReturnType<typeof buildImages> {
  const end = new AbortController()
  const stop = (): void => end.abort(new UserError('the build was stopped; nothing was deployed'))
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    return await buildImages(unbuilt, {...options, signal: end.signal})
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}
