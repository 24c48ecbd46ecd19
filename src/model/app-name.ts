import {fnv1a} from './fnv1a.ts'
import type {AppPlan, Plan} from './plan.ts'

/** The longest label of a host name, in characters (RFC 1035 §2.3.4). */
const MAX_LABEL = 63
/** Number of characters to keep at each end of a longer label, whose middle is replaced. */
const KEPT = 27

/** Port at which one run of the machine serves all apps by their host names (the "entrance"). */
export const ENTRANCE_PORT = 7355

/** Ports that a URL omits. */
export const DEFAULT_PORTS = {http: 80, https: 443} as const

/** Protocol of an upgrade request by which a run asks another run for a port, now or when that run ends. */
export const PORT_WANTED = 'pillion-port-wanted'

/** Protocol by which a run passes a connection on to the copy that the calling process belongs to. */
export const TO_OWN_COPY = 'pillion-port'

/** Protocol by which the entrance passes a connection on to another run. */
export const PASSED_ON = 'pillion-caller'

/** Header of such a connection: its caller as JSON. */
export const CALLER = 'pillion-caller'

/** Domains for which the user's authority may sign certificates, with all names below them. */
export const CERTIFIED: readonly string[] = ['localhost', 'test']

/** Returns the scheme of a host name: HTTPS if the user has a certificate authority, and it may sign the name. */
export const schemeOf = (name: string, hasAuthority: boolean): 'http' | 'https' =>
  hasAuthority && CERTIFIED.some(domain => name.endsWith(`.${domain}`)) ? 'https' : 'http'

/** Makes a label of a host name: other characters become dashes, and a long label is cut in the middle. */
export function labelOf(words: readonly string[]): string {
  const text = words.join('-').toLowerCase()
  const label = text.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')
  if (label.length <= MAX_LABEL) return label
  const hash = fnv1a(Buffer.from(label)).toString(16).padStart(8, '0').slice(-7)
  return `${label.slice(0, KEPT)}-${hash}-${label.slice(-KEPT)}`
}

/** The parts of a name that all apps of a run share. */
export interface NameSpace {
  /** The template's `name`, or the name of its folder. */
  readonly project: string
  /** The name of the copy; '': the main one. */
  readonly copy: string
}

/** Returns the host name of an app. */
export function appName({id, host}: Pick<AppPlan, 'id' | 'host'>, {project, copy}: NameSpace): string {
  const [first = '', ...others] = host?.split('.') ?? []
  const label = labelOf([...(host === undefined ? [id, project] : [first]), copy].filter(Boolean))
  return [label, ...(others.length > 0 ? others : ['localhost'])].join('.')
}

/** Matches protocols of apps that do not use HTTP/1. */
export const NAMELESS = /^(?:grpc|h2c)/

/** Whether people may call an app by name: it listens, and its plan does not exclude HTTP/1. */
export const mayHaveName = ({channel, published, isNameless}: AppPlan): boolean =>
  isNameless !== true &&
  (published !== undefined || channel.autoPort || channel.port > 0) &&
  !NAMELESS.test(channel.protocol)

/** Id of the dashboard in a table of host names, where apps have theirs. */
export const DASHBOARD = ''

/** Returns the ids of a run's apps, and `DASHBOARD`, by host name. If several apps have the same name, the first one has it. */
export function appNames({apps, leftOut = []}: Pick<Plan, 'apps' | 'leftOut'>, space: NameSpace): Map<string, string> {
  const names = new Map<string, string>()
  const named = [...apps, ...leftOut].filter(mayHaveName).map(app => [appName(app, space), app.id] as const)
  for (const [name, id] of [...named, [appName({id: 'pillion'}, space), DASHBOARD] as const])
    if (!names.has(name)) names.set(name, id)
  return names
}
