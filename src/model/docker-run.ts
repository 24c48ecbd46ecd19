import {ENGINE} from './plan.ts'

/** A container that a command runs: `docker run … IMAGE …`, also behind `sh -c 'docker build …'`, as import writes both. */
interface DockerRun {
  /** Image; '': it is built. */
  readonly image: string
  /** The arguments after the image. */
  readonly args: readonly string[]
  /** The flags in order, by their long names. Value: '': a switch. */
  readonly flags: readonly (readonly [name: string, value: string])[]
  /** How its image is built. Default: it is pulled. */
  readonly build?: {readonly file: string; readonly folder: string; readonly flags: readonly string[]} | undefined
}

const SHORT = new Map(
  Object.entries({e: 'env', h: 'hostname', m: 'memory', p: 'publish', u: 'user', v: 'volume', w: 'workdir'})
)
const SWITCH =
  /^(?:rm|init|privileged|read-only|interactive|tty|detach|publish-all|no-healthcheck|oom-kill-disable|quiet|replace|)$/

/** Finds `docker run` in a command; undefined: there is none. */
export function dockerRunOf(command: readonly string[]): DockerRun | undefined {
  const start = command.findIndex((word, at) => ENGINE.test(word) && command[at + 1] === 'run')
  if (start === -1) return undefined
  const flags: (readonly [string, string])[] = []
  let at = start + 2
  for (; command[at]?.startsWith('-') === true; at += 1) {
    // `--publish=80:80`, `-p 80:80`, `-p80:80`, `-it`
    const [, long, given, short = '', close = ''] =
      /^(?:--([^=]+)(?:=([^]*))?|-[ditPq]*([a-z]?)=?([^]*))$/.exec(command[at] ?? '') ?? []
    const name = long ?? SHORT.get(short) ?? short
    const own = given ?? close
    flags.push([name, SWITCH.test(name) ? '' : own || (command[(at += 1)] ?? '')])
  }
  const [, , , isBuilt, , file = '', folder = '', ...more] = command.slice(0, start)
  const build = isBuilt === 'build' ? {file, folder, flags: more} : undefined
  return {image: (build === undefined && command[at]) || '', args: command.slice(at + 1), flags, build}
}

/** Returns the check to run inside the container of a command: removes `docker exec NAME` before it. */
export function checkWithin(check: readonly string[], command: readonly string[]): readonly string[] {
  const name = dockerRunOf(command)?.flags.find(([flag]) => flag === 'name')?.[1] ?? ''
  return ENGINE.test(check[0] ?? '') && check[1] === 'exec' ? check.slice(check.indexOf(name, 2) + 1) : check
}

/** Returns the port inside the container that a command publishes at a port of this machine; the same number: it does not publish that port. */
export function innerPort(port: number, command: readonly string[]): number {
  const pairs = (dockerRunOf(command)?.flags ?? []).map(([flag, text]) => (flag === 'publish' ? text.split(':') : []))
  return Number.parseInt(pairs.find(parts => parts.at(-2) === port.toString())?.at(-1) ?? '', 10) || port
}
