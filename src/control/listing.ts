import type {ListedApp, RunListing} from './messages.ts'

/** An app of which nothing is known. */
export const NO_APP: ListedApp = {
  appId: '',
  httpPort: 0,
  grpcPort: 0,
  appPort: 0,
  appProtocol: 'http',
  command: '',
  createdAt: 0,
  appPid: 0,
  maxRequestBodySize: 0,
  httpReadBufferSize: 0,
  appLogPath: '',
  daprdLogPath: '',
  version: '0.0.0',
  isMain: true,
  instance: 1,
  state: 'idle',
  isReady: false,
  availability: 'waiting',
  exitCode: -1,
  exit: '',
  restarts: 0,
  startedAt: 0,
  restartsAt: 0,
  waitsFor: [],
  circuitBreakers: []
}
const NO_RUN: RunListing = {
  version: '?',
  run: '',
  pid: 0,
  startedAt: 0,
  templateFile: '',
  templateName: '',
  folder: '',
  isTemplateFollowed: true, // an older run does not tell
  apps: []
}

/** Parses the listing of a run. A key that another version omits, or sends with another type, gets its empty value. */
export function readListing(json: string): RunListing {
  const listing = filled(NO_RUN, JSON.parse(json))
  return {...listing, apps: listing.apps.map(app => filled(NO_APP, app))}
}

/** The known keys, each with the received value if its type is right. */
function filled<T extends object>(nothing: T, received: unknown): T {
  if (typeof received !== 'object' || received === null) return nothing
  const known = Object.entries(nothing).map(([key, value]: [string, unknown]) => {
    const given: unknown = Object.getOwnPropertyDescriptor(received, key)?.value
    const isAlike = typeof given === typeof value && Array.isArray(given) === Array.isArray(value)
    return [key, isAlike ? given : value]
  })
  return Object.fromEntries(known) as T
}

/** Whether a verb means it: by its id, as all its instances, or by its number, `name.1`. */
export const isCalled = ({appId, instance}: ListedApp, name: string): boolean =>
  name === appId || name === `${appId}.${instance.toString()}`
