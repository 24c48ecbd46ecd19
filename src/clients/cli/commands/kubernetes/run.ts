import {homedir} from 'node:os'
import {
  checkObjects,
  ClusterRun,
  deployFiles,
  readCluster,
  templateObjects,
  type CheckedChanges,
  type ClusterAccess,
  type ClusterEvent,
  type ClusterRunOptions,
  type TemplateObjects
} from '#kubernetes'
import {loadTemplate} from '../../../../files/config/load.ts'
import {emitTo} from '../../../../model/emit.ts'
import {UserError} from '../../../../model/errors.ts'
import type {Plan} from '../../../../model/plan.ts'
import {refuseProfiles} from '../../../../supervisor/order/selection.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {flagVariables} from '../../env-flag.ts'
import {HERE_ALONE, RUN_IN_CLUSTER} from '../../entries/run.ts'
import {guard} from '../../guard.ts'
import {warnOfIgnored} from '../ignored-flags.ts'
import {signedLine} from '../../print.ts'
import {surroundings} from '../../surroundings.ts'
import {openTerminal, type Terminal} from '../../terminal.ts'
import {flagDuration} from '../../since.ts'
import {confirmCluster, accessFor} from './open-cluster.ts'
import {wantedImages} from './wanted-images.ts'
import {RunView} from './run-view.ts'

const EXIT_BUG = 70

/** `run -k -f PATH`: runs the apps of a template in a Kubernetes cluster with Dapr, until a signal, `stop -k`, or a failure. */
export const runInCluster: CommandHandler = async context => {
  const {flags} = context
  const files = flags.list('run-file').filter(file => file !== '')
  if (files.length === 0)
    throw new UserError('a single app cannot run on Kubernetes: name a run template with --run-file')
  const timeoutMs = flagDuration('timeout', flags.text('timeout') ?? '5m')
  const terminal = openTerminal()
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
    for (const text of objects.warnings) void terminal.err.print(signedLine('warning', text, context.asJson))
    const checked = await checkObjects(access, facts, objects)
    if (isReading) return await show(access, {checked, objects}, context)
    return await run({access, facts, objects, checked, timeoutMs, terminal, plan: loaded.plan}, context)
  } finally {
    await terminal.flush()
  }
}

async function show(
  access: ClusterAccess,
  {checked, objects}: {readonly checked: CheckedChanges; readonly objects: TemplateObjects},
  {flags}: CommandContext
): Promise<number> {
  const {changesText, diffText} = await import('./changes-text.ts')
  process.stdout.write(flags.isSet('diff') ? await diffText(access, objects, checked) : changesText(checked))
  return 0
}

interface Prepared extends Pick<ClusterRunOptions, 'access' | 'facts' | 'objects' | 'checked' | 'timeoutMs'> {
  readonly terminal: Terminal
  readonly plan: Plan
}

async function run({terminal, plan, ...prepared}: Prepared, context: CommandContext): Promise<number> {
  const view = new RunView(terminal, plan, context)
  const lived = new ClusterRun({
    ...prepared,
    emit: emitTo<ClusterEvent>([event => view.hear(event)], text => ({type: 'warned', text})),
    openLogs: async app => view.openLogs(app),
    writeFiles: app => deployFiles(app, prepared.objects.apps, text => view.warn(text))
  })
  const hasBug = guard(lived, terminal, {asJson: context.asJson})
  lived.start()
  try {
    const isHealthy = await lived.ended
    return hasBug() ? EXIT_BUG : isHealthy ? 0 : 1
  } finally {
    view.end()
  }
}
