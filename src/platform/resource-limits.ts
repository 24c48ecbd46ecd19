import {accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {orElse} from '../model/or-else.ts'
import {systemText} from './paths.ts'
import type {Environment} from '../model/environment.ts'
import type {LimitsPlan} from '../model/plan.ts'
import {findProgram} from './program-version.ts'
import {keepingShell} from './run-script.ts'

/** How a program is started so that it and its children have limits. */
export interface LimitedProcess {
  /** The command before the program and its arguments. The process that is started becomes the program: it keeps its number, its group and its files. */
  readonly prefix: readonly string[]
  /** Must be called when the program and its children have ended. */
  readonly release: () => void
}

/** The files in which the system is asked; `root` is the root of its file systems, for tests. */
interface Place {
  readonly env: Environment
  readonly uid: number
  readonly root?: string
}

const HERE = {env: process.env, uid: process.getuid?.() ?? 0}
const CPU_PERIOD_US = 100_000

/**
 * Limits one program without root: by a scope of the user's systemd (systemd-run(1)), or by a writable cgroup of version 2 (cgroups(7),
 * "Delegation"). Returns a text with the reason if neither works.
 */
export function limited(limits: LimitsPlan, place: Place = HERE): LimitedProcess | string {
  if (process.platform !== 'linux') return 'they need Linux'
  const {root = ''} = place
  const mount = /^\d+ \d+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(systemText(`${root}/proc/self/mountinfo`))?.[1]
  if (mount === undefined) return 'this system has no cgroups of version 2'
  const controllers = Object.entries({memory: limits.memoryBytes, cpu: limits.cpus}).flatMap(([name, value]) =>
    value > 0 ? name : []
  )
  const top = join(root, mount)
  return (
    byScope(limits, {...place, top, controllers}) ??
    byCgroup(limits, {root, top, controllers}) ??
    `neither the systemd of this user nor a cgroup that it may write has the controllers for ${controllers.join(' and ')}`
  )
}

interface Cgroups {
  readonly root?: string
  /** The root of the hierarchy. */
  readonly top: string
  readonly controllers: readonly string[]
}

function byScope(
  {memoryBytes, cpus}: LimitsPlan,
  {env, uid, root = '', top, controllers}: Place & Cgroups
): LimitedProcess | undefined {
  const program = findProgram('systemd-run', env['PATH'] ?? '')
  const folder = env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`
  const manager = uid === 0 ? '/run/systemd/private' : join(folder, 'systemd/private')
  const unit = uid === 0 ? '' : `user.slice/user-${uid}.slice/user@${uid}.service`
  if (program === undefined || !existsSync(root + manager)) return undefined
  if (!hasAll(join(top, unit, 'cgroup.controllers'), controllers)) return undefined
  const properties = [
    ...(memoryBytes > 0 ? [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0'] : []),
    ...(cpus > 0 ? [`CPUQuota=${Math.ceil(cpus * 100)}%`] : [])
  ]
  const flags = [...(uid === 0 ? [] : ['--user']), '--scope', '--quiet', '--collect']
  const prefix = [program, ...flags, ...properties.map(property => `--property=${property}`), '--']
  return {prefix, release: () => undefined}
}

let count = 0

/** Uses a cgroup below ours or next to it, which the process enters before it becomes the program. */
function byCgroup({memoryBytes, cpus}: LimitsPlan, {root = '', top, controllers}: Cgroups): LimitedProcess | undefined {
  const own = join(top, /^0::(.*)$/m.exec(systemText(`${root}/proc/self/cgroup`))?.[1] ?? '')
  const parents = own === top ? [own] : [own, dirname(own)]
  const parent = parents.find(
    folder =>
      isWritable(folder) &&
      isWritable(join(folder, 'cgroup.procs')) &&
      hasAll(join(folder, 'cgroup.subtree_control'), controllers)
  )
  if (parent === undefined) return undefined
  for (const name of readdirSync(parent)) if (isOfDead(name)) remove(join(parent, name))
  const folder = join(parent, `pillion-${process.pid}-${++count}`)
  try {
    mkdirSync(folder)
    if (memoryBytes > 0) {
      writeFileSync(join(folder, 'memory.max'), memoryBytes.toString())
      if (existsSync(join(folder, 'memory.swap.max'))) writeFileSync(join(folder, 'memory.swap.max'), '0')
    }
    if (cpus > 0) writeFileSync(join(folder, 'cpu.max'), `${Math.ceil(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`)
  } catch {
    remove(folder)
    return undefined
  }
  const prefix = [keepingShell(), '-c', 'echo 0 >"$0" && exec "$@"', join(folder, 'cgroup.procs')]
  return {prefix, release: () => remove(folder)}
}

/** Whether a group belongs to a killed run. An empty group of a living run may be entered next. */
const isOfDead = (name: string): boolean =>
  /^pillion-\d+-\d+$/.test(name) && !existsSync(`/proc/${name.split('-', 2)[1]}`)

function remove(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // the group is not empty yet
  }
}

const hasAll = (file: string, controllers: readonly string[]): boolean => {
  const there = systemText(file).split(/\s+/)
  return controllers.every(name => there.includes(name))
}

const isWritable = (path: string): boolean =>
  orElse(() => {
    accessSync(path, constants.W_OK)
    return true
  }, false)
