import type {Environment} from '../model/environment.ts'
import {ownerOf} from '../platform/port-owners.ts'
import {look, lookAgain} from '../platform/process-table.ts'
import {dirname} from 'node:path'
import {runOfProcess} from './client.ts'
import {copiesAmong, type TemplateCopy} from './copies.ts'
import {livingRuns, type LivingRun} from './living-runs.ts'
import {readRunFile} from './run-file.ts'

/** A port of this machine at which a process of another run listens. */
export interface ForeignServer {
  readonly port: number
  readonly run: LivingRun
  /** The app of that run; '': it is not known. */
  readonly app: string
  /** Whether the run is another copy of the same template. */
  readonly isCopy: boolean
  /** Whether the process of that run itself listens: for an app, or as its built-in Redis. */
  readonly isRunItself: boolean
}

/** Finds which of these ports a process of another run has; undefined: none, or the system does not say. */
export async function foreignServer(
  env: Environment,
  own: TemplateCopy,
  ports: Iterable<number>
): Promise<ForeignServer | undefined> {
  const others = livingRuns(env).filter(({pid}) => pid !== process.pid)
  if (others.length === 0) return undefined
  for (const port of ports) {
    const owner = await ownerOf(port)
    if (owner === undefined || owner.pid === process.pid) continue
    const above = await ancestry(owner.pid)
    const owned = await lookAgain(owner.pid)
    // a program that writes its title over its environment (redis-server) is found by its parents
    const run =
      others.find(({pid}) => above.includes(pid)) ??
      others.find(({home}) => owned?.carries(`PILLION_RUN=${readRunFile(home)?.marker ?? ''}`) === true)
    if (run === undefined) continue
    return {
      port,
      run,
      app: await appAt(env, run, port, above),
      isCopy: copiesAmong([run], own).length > 0,
      isRunItself: owner.pid === run.pid
    }
  }
  return undefined
}

/** `localhost:5433 is "db" of the run main in /shop/main (pid 4711)`. */
export function serverText({port, run, app}: ForeignServer): string {
  const folder = run.templateFile === '' ? '' : ` in ${dirname(run.templateFile)}`
  return `localhost:${port} is ${app === '' ? 'a server' : `"${app}"`} of the run ${run.name}${folder} (pid ${run.pid})`
}

/** Returns a text with the run of the server, and the next step. */
export function foreignServerText(server: ForeignServer): string {
  const {port, run} = server
  return `${serverText(server)}, whose data this run must not use: give the app that is this server here an appPort (${port}) and start it at $APP_PORT, so that each copy has its own, or end the other run: pillion down --name ${run.name}`
}

/** Returns the pids of a process, its parent, and so on. */
async function ancestry(pid: number): Promise<readonly number[]> {
  const parents = new Map((await look()).all.map(each => [each.pid, each.parent]))
  const above: number[] = []
  for (let each: number | undefined = pid; each !== undefined && !above.includes(each); each = parents.get(each))
    above.push(each)
  return above
}

async function appAt(env: Environment, {pid}: LivingRun, port: number, above: readonly number[]): Promise<string> {
  const apps = (await runOfProcess(env, pid))?.listing.apps ?? []
  return apps.find(app => (app.pid > 0 && above.includes(app.pid)) || app.appPort === port)?.id ?? ''
}
