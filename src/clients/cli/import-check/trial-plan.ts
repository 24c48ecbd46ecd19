import {statSync} from 'node:fs'
import {resolve} from 'node:path'
import type {TrialFolder} from '../../../control/trial-folder.ts'
import {ENGINE, type AppPlan, type Plan} from '../../../model/plan.ts'
import {containerOf} from '../../../platform/containers.ts'
import {isFreePort} from '../../../proxy/ports/app-port.ts'
import {fixedPorts, isolatedPlan, movedPorts} from '../../../proxy/ports/isolated-plan.ts'

/**
 * Returns the plan of a trial: the same apps in the same folders, with other ports where theirs are in use, containers with names
 * and volumes of their own, and logs in the folder of the trial, which is removed at its end.
 */
export async function trialPlan(plan: Plan, folder: TrialFolder): Promise<Plan> {
  const containers = plan.apps.flatMap(({command}) => containerOf(command) ?? [])
  const own = new Map(containers.flatMap(({names}) => names.map(name => [name, `${name}-check-${process.pid}`])))
  if (containers[0] !== undefined) folder.note({...containers[0], names: [...own.values()]})
  const logs = folder.folder('logs')
  const apps = plan.apps.map((app): AppPlan => ({
    ...app,
    command: containerOf(app.command) === undefined ? app.command : ownVolumes(named(app.command, own), app.folder),
    ready: app.ready.kind === 'command' ? {...app.ready, command: named(app.ready.command, own)} : app.ready,
    logs: {...app.logs, folder: logs, app: 'file', sidecar: 'file'},
    watch: {...app.watch, paths: []}
  }))
  return withFreePorts({...plan, file: '', apps})
}

/** Replaces ports that are in use. Keeps free ones, since programs may have the number in their code. */
async function withFreePorts(plan: Plan): Promise<Plan> {
  const free: number[] = []
  for (const port of fixedPorts(plan)) if (await isFreePort(port)) free.push(port)
  return isolatedPlan(plan, await movedPorts(plan, new Map(free.map(port => [port, port]))))
}

/** Renames containers: in `--name`, in `docker exec`, and where one shares the network of another. */
const named = (words: readonly string[], own: ReadonlyMap<string, string>): readonly string[] =>
  words.map((word, at) => {
    const isName = words[at - 1] === '--name' || (words[at - 1] === 'exec' && ENGINE.test(words[at - 2] ?? ''))
    if (isName) return own.get(word) ?? word
    const shared = own.get(/^container:(.*)$/.exec(word)?.[1] ?? '')
    return shared === undefined ? word : `container:${shared}`
  })

/** Folders in which servers keep their data in a container. */
const DATA = /^\/(?:var\/lib|data|bitnami)(?:\/|$)|\/data(?:\/|$)/

/** Replaces volumes of the project by volumes without a name, which are removed with their container: a trial does not touch data. */
const ownVolumes = (words: readonly string[], folder: string): readonly string[] =>
  words.map((word, at) => {
    if (words[at - 1] !== '--volume') return word
    const [, source = '', target = ''] = /^((?:\$\{[^}]*\}|[^:])+):([^:]+)/.exec(word) ?? []
    if (source === '') return word
    const isPath = /^[./~\\$]/.test(source)
    return isPath && !(DATA.test(target) && isFolderOrNew(resolve(folder, source))) ? word : target
  })

/** Whether the path is a folder, or does not exist: Docker then makes a folder. */
const isFolderOrNew = (path: string): boolean => statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? true
