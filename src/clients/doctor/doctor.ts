import {existsSync, realpathSync} from 'node:fs'
import {join, delimiter} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {existingFolders, runtimeFolders, usableFolder} from '../../control/folder.ts'
import {messageOf, UserError} from '../../model/errors.ts'
import type {Plan} from '../../model/plan.ts'
import {currentSystem} from '../../platform/process-table.ts'
import {findProgram, versionOf, whyNotFound} from '../../platform/program-version.ts'
import {checkCopies, checkState, checkWork} from './work.ts'
import {checkResolution, checkPorts} from './ports.ts'
import {checkWatches} from './watches.ts'
import {note, ok, fail, type Check} from './check.ts'
import {programsIn} from '../../files/config/programs.ts'
import {runCommand} from '../../platform/run-command.ts'

const CLIENTS = new Set(['docker', 'docker-compose', 'nerdctl'])
const TIMEOUT_MS = 5000

/** Checks the Docker daemon that the template's docker commands use. Returns an empty list without such commands. */
export async function checkDocker({apps}: Pick<Plan, 'apps'>, env: Environment): Promise<readonly Check[]> {
  const users = apps.flatMap(app => {
    const client = programsIn(app.command, app.folder).find(({name}) => CLIENTS.has(name))
    return client === undefined ? [] : [{...app, client: client.name === 'nerdctl' ? 'nerdctl' : 'docker'}]
  })
  const [first] = users
  if (first === undefined) return []
  const {client, folder, env: own} = first
  const whole = {...env, ...own}
  if (findProgram(client, whole['PATH'] ?? '') === undefined) return [] // `checkCommands` reports the missing program
  const command = [client, 'version', '--format', '{{.Server.Version}}']
  const why = await runCommand({command, folder, env: whole, timeoutMs: TIMEOUT_MS})
  if (why === '') return [ok('the Docker daemon answers')]
  const ids = [...new Set(users.map(({id}) => JSON.stringify(id)))].join(', ')
  return [
    fail(
      `the Docker daemon does not answer (${client} version ${why}), which ${ids} would need`,
      `Start Docker, then look: ${client} version`
    )
  ]
}

export interface Patient {
  readonly env: Environment
  readonly home: string
  /** Plan of the template. Undefined if only the machine is checked. */
  readonly plan: Plan | undefined
}

/** Runs all checks of what a run needs, without starting an app. */
export async function runChecks({env, home, plan}: Patient): Promise<readonly Check[]> {
  return [
    ...(await checkNode(env)),
    ...checkInstallation(env),
    ...checkFolders(env),
    ...checkProc(),
    ...checkState(env),
    ...checkProxy(env),
    ...checkCopies(env),
    ...(await checkResolution(env)),
    ...(existsSync(join(home, '.dapr')) ? [daprFolderNote(home)] : []),
    ...(plan === undefined
      ? []
      : [
          ...(await checkPorts(plan, env)),
          ...checkCommands(plan, env),
          ...(await checkDocker(plan, env)),
          ...(await checkWatches(plan)),
          ...checkWork(plan, env)
        ])
  ]
}

/** Returns the results of a check. Converts a UserError into a failed check. */
function orFail(check: () => readonly Check[]): readonly Check[] {
  try {
    return check()
  } catch (error) {
    if (error instanceof UserError) return [fail(error.message, error.explanation)]
    throw error
  }
}

/** Checks /proc, by which runs and their processes are found. */
const checkProc = (): readonly Check[] =>
  orFail(() => {
    currentSystem()
    return []
  })

const checkFolders = (env: Patient['env']): readonly Check[] =>
  orFail(() => {
    const skipped: Check[] = []
    const folders = runtimeFolders(env)
    const usable = ok(`runs meet in ${usableFolder(folders)}`)
    existingFolders(folders, text => skipped.push(note(text, 'Runs are neither registered nor looked for in it.')))
    return [usable, ...skipped]
  })

/** Checks the Node that apps find in PATH. The single executable of Pillion contains its own. */
async function checkNode(env: Patient['env']): Promise<readonly Check[]> {
  const own = note(`Pillion runs in Node ${process.versions.node}`, '')
  const path = findProgram('node', env['PATH'] ?? '')
  if (path === undefined) return [own, note('there is no node in PATH', 'Apps that start with node or npm need one.')]
  try {
    return [own, ok(`apps find Node ${(await versionOf(path)).replace(/^v/, '')} in PATH (${path})`)]
  } catch (error) {
    return [own, fail(`${path} does not work: ${messageOf(error)}`, 'Install Node again, or correct PATH.')]
  }
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1']

/** Checks whether HTTP clients of apps would send the calls for their sidecar to a proxy (`HTTP_PROXY`). */
export function checkProxy(env: Patient['env']): readonly Check[] {
  const proxies = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'].filter(name => (env[name] ?? '') !== '')
  const [proxy] = proxies
  if (proxy === undefined) return [ok('no proxy is between apps and their sidecars')]
  const except = (env['NO_PROXY'] || env['no_proxy'] || '').split(/[\s,]+/).filter(name => name !== '')
  if (except.includes('*') || LOOPBACK_NAMES.every(name => except.includes(name)))
    return [ok(`${proxy} is set, and NO_PROXY spares the loopback`)]
  const all = [...new Set([...except, ...LOOPBACK_NAMES, '::1'])].join(',')
  return [
    fail(
      `${proxy} is set and NO_PROXY does not spare ${LOOPBACK_NAMES.filter(name => !except.includes(name)).join(' and ')}: many clients will send calls for their own sidecar to the proxy`,
      `export NO_PROXY=${all} no_proxy=${all}`
    )
  ]
}

const daprFolderNote = (home: string): Check =>
  note(
    `${join(home, '.dapr')} is not needed: there is no init, no daprd, no Docker`,
    'Its components and its configuration are read as Dapr reads them. Remove the folder if Dapr itself is not used here.'
  )

function checkCommands({apps}: Plan, env: Patient['env']): readonly Check[] {
  const faults = apps.flatMap(({id, command, folder, env: own}) => {
    const why = command.length === 0 ? '' : whyNotFound(command, folder, own['PATH'] ?? env['PATH'] ?? '')
    return why === ''
      ? []
      : [fail(`the command of "${id}" cannot be found: ${why}`, 'Install it, or correct `command`.')]
  })
  return faults.length > 0 ? faults : [ok('every command can be found')]
}

/** Checks this installation. Notes a system on which Pillion is not tested, and a second installation. */
export function checkInstallation(env: Environment, system: string = process.platform): readonly Check[] {
  const [first, ...others] = pillionsIn(env['PATH'] ?? '')
  return [
    ...(system === 'darwin'
      ? [
          note(
            'on macOS this is tested against stand-ins of the system’s tools alone: it has not run on a Mac yet',
            'Please report what goes wrong.'
          )
        ]
      : []),
    ...(others.length > 0
      ? [
          note(
            `PATH has several pillions: ${[first, ...others].join(', ')}`,
            'Shells start the first. Remove the others, or upgrade them, too.'
          )
        ]
      : [])
  ]
}

/** Returns the paths of `pillion` on the search path, each once. */
const pillionsIn = (searchPath: string): ReadonlySet<string> =>
  new Set(
    searchPath.split(delimiter).flatMap(folder => {
      const path = findProgram('pillion', folder)
      return path === undefined ? [] : [realpathSync(path)]
    })
  )
