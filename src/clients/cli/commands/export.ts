import {homedir} from 'node:os'
import {dirname, resolve} from 'node:path'
import {
  kubernetesFiles,
  kubernetesText,
  COMPOSE_HEADER,
  composeFile,
  templateObjects,
  writeFile,
  writeFiles
} from '#kubernetes'
import {loadTemplate, type Loaded} from '../../../files/config/load.ts'
import {UserError} from '../../../model/errors.ts'
import type {Plan} from '../../../model/plan.ts'
import {refuseProfiles} from '../../../run/selection.ts'
import {flagVariables} from '../flag.ts'
import type {GivenFlags} from '../given-flags.ts'
import {RUNTIME_VERSION} from '../../../model/version.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import {print, signedLine} from '../print.ts'
import {surroundings} from '../template-named.ts'
import {NO_ACTOR_STORE} from '../../../files/resources/components.ts'
import {resourcesOf, workflowNeeds} from '../workflow-needs.ts'

/** Pattern of a namespace: a DNS label. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** `export kubernetes|compose [-f PATH] [-o PATH|-]`: writes the template as Kubernetes objects or a compose file. Does not connect to a cluster. */
export const exportTemplate: CommandHandler = async context => {
  const [format = '', ...others] = context.words
  if (others.length > 0) throw new UsageError(`expected one format, got ${context.words.length}`)
  if (format === 'kubernetes') return exportKubernetes(context)
  if (format === 'compose') return exportCompose(context)
  throw new UsageError(
    format === ''
      ? 'expected a format: kubernetes or compose'
      : `unknown format "${format}": expected kubernetes or compose`
  )
}

async function loadedBy(flags: GivenFlags): Promise<Loaded> {
  const files = flags.list('run-file')
  const profiles = flags.list('profile')
  const loaded = await loadTemplate(files.length === 0 ? '.' : files, surroundings(), {
    watch: false,
    profiles,
    variables: flagVariables(flags)
  })
  refuseProfiles(loaded.plan, profiles)
  return loaded
}

async function exportKubernetes({flags, asJson}: CommandContext): Promise<number> {
  const namespace = flags.text('namespace') ?? ''
  if (namespace !== '' && !NAMESPACE.test(namespace))
    throw new UserError(`${JSON.stringify(namespace)} is not a namespace: expected lower case letters, digits and -`)
  const loaded = await loadedBy(flags)
  const objects = await templateObjects(loaded, {
    home: homedir(),
    cwd: process.cwd(),
    namespace,
    variables: flagVariables(flags)
  })
  const files = kubernetesFiles(objects)
  const warnings = [...objects.warnings, ...(await workflowWarnings(loaded.plan))]
  const folder = flags.text('output') ?? '-'
  if (folder === '-') print(process.stdout, kubernetesText(objects))
  else writeFiles(folder, files)
  const secrets = files.filter(({isSecret}) => isSecret).map(({name}) => name)
  const where = folder === '-' ? 'the output holds' : `${secrets.join(', ')}: readable only by you, and it holds`
  const all = secrets.length === 0 ? warnings : [...warnings, `${where} the values of .env files; do not commit it`]
  for (const text of all) print(process.stderr, signedLine('warning', text, asJson))
  if (folder === '-') return 0
  const count = `${files.length} ${files.length === 1 ? 'file' : 'files'}`
  print(process.stdout, signedLine('success', `${count} written to ${folder}: kubectl apply -f ${folder}`, asJson))
  return 0
}

/** Returns warnings about what workflows need in a cluster, and about their state, which stays on this machine. */
async function workflowWarnings(plan: Plan): Promise<readonly string[]> {
  const snapshots = (await resourcesOf(plan.apps)).map(([, snapshot]) => snapshot)
  const needs = workflowNeeds(plan, snapshots)
  if (needs === undefined) return []
  const {path, lacksStore} = needs
  return [
    ...(lacksStore ? [`workflows: ${NO_ACTOR_STORE}`] : []),
    `workflows need Dapr's placement and scheduler in the cluster${path === '' ? '' : `; what they have done so far, and the reminders and jobs that wait, stay in ${path}`}`
  ]
}

const TAG = /^\w[\w.-]{0,127}$/

async function exportCompose({flags, asJson}: CommandContext): Promise<number> {
  if (flags.names.includes('namespace')) throw new UserError('a compose file has no namespace: leave out --namespace')
  const dapr = flags.text('dapr') ?? RUNTIME_VERSION
  if (!TAG.test(dapr)) throw new UserError(`${JSON.stringify(dapr)} is not a version of Dapr: expected one like 1.18.0`)
  const file = flags.text('output') ?? '-'
  const folder = file === '-' ? process.cwd() : resolve(dirname(file))
  const options = {home: homedir(), cwd: process.cwd(), folder, dapr, variables: flagVariables(flags)}
  const {text, warnings} = await composeFile(await loadedBy(flags), options)
  if (file === '-') print(process.stdout, text)
  else writeFile(file, text, COMPOSE_HEADER)
  for (const warning of warnings) print(process.stderr, signedLine('warning', warning, asJson))
  if (file !== '-')
    print(process.stdout, signedLine('success', `written to ${file}: docker compose -f ${file} up`, asJson))
  return 0
}
