import {existsSync} from 'node:fs'
import {isAbsolute, relative, resolve} from 'node:path'
import {dockerRunOf} from '../../model/docker-run.ts'
import type {AppPlan} from '../../model/plan.ts'

/** Reads pairs of a flag of `docker run` and its key in a compose file: `cap-add=cap_add`; one word if both are the same. */
const keysOf = (text: string): ReadonlyMap<string, string> =>
  new Map(text.split(' ').map(each => [each.replace(/=.*/, ''), each.replace(/.*=/, '')]))
const LISTS = keysOf(
  'publish=ports volume=volumes env-file=env_file add-host=extra_hosts cap-add=cap_add cap-drop=cap_drop device=devices dns security-opt=security_opt tmpfs entrypoint'
)
const OTHERS =
  'user workdir=working_dir hostname platform shm-size=shm_size memory=mem_limit cpus pid ipc runtime privileged read-only=read_only init'
/** Keys of a compose service, by the flags of `docker run` with the same meaning. */
export const RUN_KEYS: ReadonlyMap<string, string> = new Map([...LISTS, ...keysOf(OTHERS)])

/** Compose reads `$NAME` as a variable, and `$$` as `$`. */
export const forCompose = (text: string): string => text.replaceAll('$', '$$$$')

/** Converts a path for the compose file, never to an absolute path of this machine. */
export type Shown = (path: string) => string

/** Returns the keys of a service for an app's `docker run`, besides image and environment. */
export function serviceOfRun({command, folder}: AppPlan, shown: Shown): Readonly<Record<string, unknown>> {
  const {args = [], flags = []} = dockerRunOf(command) ?? {}
  const keys = new Map<string, unknown>()
  for (const [flag, text] of flags) {
    const key = RUN_KEYS.get(flag) ?? ''
    const [from = ''] = (key === 'volumes' ? /^[./][^:]*(?=:)/ : key === 'env_file' ? /^.+/ : /$/).exec(text) ?? []
    const path = from === '' ? '' : shown(resolve(folder, from))
    const isElsewhere = isAbsolute(from) && path.startsWith('..') // stays absolute: `/var/run/docker.sock`
    const value = forCompose(isElsewhere ? text : path + text.slice(from.length))
    if (LISTS.has(flag)) keys.set(key, [...((keys.get(key) ?? []) as string[]), value])
    else if (key !== '') keys.set(key, value || true)
  }
  if (args.length > 0) keys.set('command', args.map(forCompose))
  return Object.fromEntries(keys)
}

/** Returns `build` of a service, from the `docker build` in the app's command. undefined: the command has none, and the image is pulled. */
export function buildOfRun({command, folder}: AppPlan, shown: Shown): object | undefined {
  const {build} = dockerRunOf(command) ?? {}
  if (build === undefined) return undefined
  const place = resolve(folder, build.folder)
  const isHere = existsSync(place) // otherwise it is the URL of a repository
  const valuesOf = (flag: string): readonly string[] =>
    build.flags.filter(each => each.startsWith(flag)).map(each => forCompose(each.slice(flag.length)))
  return {
    context: isHere ? shown(place) : build.folder,
    dockerfile: isHere ? relative(place, resolve(folder, build.file)) : build.file,
    args: valuesOf('--build-arg='),
    target: valuesOf('--target=')[0]
  }
}

/** Returns the named volumes of services, which `docker run` and compose share. */
export function volumesOf(services: Readonly<Record<string, {readonly volumes?: readonly string[]}>>): object {
  const volumes = Object.values(services).flatMap(each => each.volumes ?? [])
  const names = volumes.flatMap(each => /^(\w[^:]*):/.exec(each)?.[1] ?? [])
  return Object.fromEntries(names.filter(name => name !== 'scheduler').map(name => [name, {name}]))
}
