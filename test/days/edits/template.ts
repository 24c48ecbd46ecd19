import {Random} from '../../fuzz/random.ts'

/** What an app of the walk is: a program with a port, one without, one that ends at once, or a sidecar alone. */
export type Kind = 'server' | 'worker' | 'one-shot' | 'sidecar'

/** An app of the template: all of its keys, as they are written. Nothing is known of what they mean. */
export interface Entry {
  readonly id: string
  readonly kind: Kind
  readonly keys: Readonly<Record<string, unknown>>
}

export interface Template {
  readonly top: Readonly<Record<string, unknown>>
  readonly common: Readonly<Record<string, unknown>>
  readonly apps: readonly Entry[]
}

export const IDS = ['a', 'b', 'c', 'd', 'e']
const KINDS: readonly Kind[] = ['server', 'server', 'worker', 'one-shot', 'sidecar']

const folderOf = (id: string): string => `f-${id}`

/** Keys of an app, and values that they may get; numbers below 1000 are nobody else's. Those of `SHARED` may stand in `common`. */
export const MINE: readonly string[] = [
  'common: {env: {MINE: "1"}}',
  'common: {stop: {timeout: 9s}, env: {MINE: "2"}}',
  'apps: [{appID: a, env: {MINE: "3"}}]',
  'apps: [{appID: b, maxBodySize: 7Mi}, {appID: f, appDirPath: f-a, command: [program, mine, worker]}]',
  'common: ['
]

const SHARED: Readonly<Record<string, (random: Random) => unknown>> = {
  env: random => ({
    MARK: random.oneIn(4) ? '${X:-none}' : random.below(100).toString(),
    ...(random.oneIn(3) && {OTHER: 'x'})
  }),
  envFile: random => random.pick([['.env'], '.env', [{path: 'more.env', required: false}], ['.env', '../shared.env']]),
  restart: random => random.pick(['no', 'on-failure', 'always']),
  reload: random => random.pick(['replace', 'overlap']),
  replicas: random => 1 + random.below(3),
  ready: random => random.pick(['none', {timeout: '3s'}, {http: '/never', timeout: '1s'}]),
  dependsOn: random =>
    Object.fromEntries(random.some(IDS, 2).map(id => [id, random.pick(['started', 'ready', 'ready', 'completed'])])),
  lazy: random => random.oneIn(2),
  idleTimeout: random => random.pick(['500ms', '2s']),
  stop: random =>
    random.pick([
      {timeout: '1s'},
      {timeout: '20s'},
      {signal: 'SIGINT'},
      {scope: 'group'},
      {timeout: '7s', scope: 'group'}
    ]),
  watch: random => random.pick([true, false, ['version.txt'], {ignore: ['*.tmp']}]),
  logs: random => ({keep: random.below(9)}),
  record: random => random.pick([true, false, {mask: ['x']}]),
  replay: random => random.oneIn(2),
  appProtocol: random => random.pick(['http', 'grpc', 'h2c']),
  appMaxConcurrency: random => random.below(4),
  enableApiLogging: random => random.oneIn(2),
  logLevel: random => random.pick(['debug', 'warn']),
  maxBodySize: random => random.pick(['5Mi', '6Mi']),
  resourcesPaths: random => random.pick([['res'], ['res', 'res2'], ['res2']]),
  configFilePath: random => random.pick(['config.yaml', 'config2.yaml'])
}
const OWN: Readonly<Record<string, (random: Random) => unknown>> = {
  ...SHARED,
  resourcesPaths: random => random.pick([['../res'], ['../res', '../res2'], ['../res2']]),
  configFilePath: random => random.pick(['../config.yaml', '../config2.yaml']),
  command: random => random.below(100).toString(),
  appPort: random => 401 + random.below(4),
  autoPort: () => true,
  daprHTTPPort: random => 301 + random.below(3),
  daprGRPCPort: random => 311 + random.below(3),
  metricsPort: random => 321 + random.below(3),
  port: random => 501 + random.below(3),
  version: random => random.pick(['1.0.0', '2.0.0']),
  profiles: random => random.pick([['p'], ['q']]),
  appDirPath: random => folderOf(random.pick(IDS))
}

export const entryOf = (id: string, random: Random): Entry => {
  const kind = random.pick(KINDS)
  return {id, kind, keys: {appDirPath: folderOf(id), ...(kind === 'server' && {autoPort: true})}}
}

/** A key with another value, or without one. */
export function changed(keys: Entry['keys'], random: Random, isShared: boolean): Entry['keys'] {
  const all = isShared ? SHARED : OWN
  const name = random.pick(Object.keys(all))
  const {[name]: before, ...others} = keys
  if (before !== undefined && name !== 'appDirPath' && random.oneIn(2)) return others
  // two keys that do not go together
  const {autoPort: _a, appPort: _b, ...rest} = others
  const left = name === 'appPort' || name === 'autoPort' ? rest : others
  return {...left, [name]: all[name]?.(random)}
}

/** JSON is YAML; a line for each app. */
export function textOf({top, common, apps}: Template): string {
  const lines = apps.map(({id, kind, keys: {command = '', ...keys}}) => {
    const words = kind === 'sidecar' ? {} : {command: ['program', command, kind]}
    return `  - ${JSON.stringify({appID: id, ...words, ...keys})}\n`
  })
  return `version: 1\n${Object.entries(top)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('')}common: ${JSON.stringify(common)}\napps:\n${lines.join('')}`
}

export const FIRST: Template = {
  top: {},
  common: {},
  apps: [
    {id: 'a', kind: 'server', keys: {appDirPath: 'f-a', autoPort: true}},
    {id: 'b', kind: 'server', keys: {appDirPath: 'f-b', autoPort: true, dependsOn: ['a']}},
    {id: 'c', kind: 'worker', keys: {appDirPath: 'f-c'}}
  ]
}
