/** Ports of a template, each with the port that replaces it in a copy. */
export type MovedPorts = ReadonlyMap<number, number>

const LOCAL_HOST = String.raw`(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\])`

/** Matches a port after a local host, or after `:` alone. The host must start a word: otherwise a long word costs quadratic time. */
const IN_ADDRESS = new RegExp(
  String.raw`((?:^|[^\w.\]-])(?:${LOCAL_HOST}|[+*])?:|(?<![\w.-])${LOCAL_HOST},)(\d{2,5})(?![\w.])`,
  'gi'
)

/** Matches a number after a flag for a port, or in a variable for one. */
const NAMED =
  /((?:^|[\s"'])(?:-p|--publish|--?[\w.-]*port)[ =]|(?:^|[\s"';])\w*PORT\s*=\s*|-D[\w.]*port=)(\d{2,5})(?![\w.])/gi

/** Matches the host in a connection string of pairs (libpq, ADO.NET). */
const HOST_PAIR = /(?:^|[\s;])(?:host(?:addr)?|server|data source)\s*=\s*'?([^\s;']+)/i

const IS_LOCAL = new RegExp(`^(?:tcp:)?(?:${LOCAL_HOST}|::1?)(?:[:,]|$)`, 'i')

/** Matches names of properties for a host: `redisHost`, `hostname`, and not `verifyHostKeys`. */
const IS_HOST = /host(?:name|addr)?$/i

/** The part of `MovedPorts` that a search needs. */
type Numbers = Pick<MovedPorts, 'get' | 'size'>

/** Replaces the moved ports of this machine that a text names. */
export function movedText(text: string, moved: Numbers): string {
  const replace = (all: string, before: string, number: string): string => {
    const to = moved.get(Number(number))
    return to === undefined ? all : `${before}${to}`
  }
  const addressed = text.replaceAll(IN_ADDRESS, replace)
  const host = HOST_PAIR.exec(text)?.[1]
  return host === undefined || IS_LOCAL.test(host) ? addressed.replaceAll(NAMED, replace) : addressed
}

/** Returns the value of a variable with moved ports: a number if its name means a port, or a text. */
export const movedValue = (name: string, value: string, moved: Numbers): string =>
  /^\d+$/.test(value) && /port/i.test(name) ? (moved.get(Number(value))?.toString() ?? value) : movedText(value, moved)

/** Moves ports in values of one component. A bare number is a port of this machine unless one of the values names another host. */
export function movedTogether<T extends {readonly name: string; readonly value: string}>(
  values: readonly T[],
  moved: Numbers
): readonly T[] {
  if (moved.size === 0) return values
  const isElsewhere = values.some(({name, value}) => IS_HOST.test(name) && value !== '' && !IS_LOCAL.test(value))
  return values.map(each => {
    const {name, value} = each
    return /^\d+$/.test(value) && isElsewhere ? each : {...each, value: movedValue(name, value, moved)}
  })
}

/** Returns the ports of this machine that the values of one component name. */
export function portsNamed(values: readonly {readonly name: string; readonly value: string}[]): ReadonlySet<number> {
  const named = new Set<number>()
  movedTogether(values, {size: 1, get: port => void named.add(port)})
  return named
}

const HAS_LOCAL = new RegExp(String.raw`(?:^|[^\w.-])${LOCAL_HOST}(?![\w.-])`, 'i')

/** Whether a text names this machine as a host. */
export const namesThisMachine = (text: string): boolean => HAS_LOCAL.test(text)
