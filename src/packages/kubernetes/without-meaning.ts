import type {Entry} from '../../files/config/service-versions.ts'
import type {AppValues} from '../../files/config/keys.ts'
import type {AppKey} from '../../files/config/merge.ts'

/** Keys that say how an app runs on a laptop. */
const KEYS: readonly AppKey[] = [
  'command',
  'daprHTTPPort',
  'daprGRPCPort',
  'daprInternalGRPCPort',
  'profilePort',
  'runtimePath',
  'autoPort',
  'watch',
  'restart',
  'reload',
  'lazy',
  'idleTimeout',
  'logs',
  'record',
  'replay',
  'otel',
  'setup'
]

/** The keys of these apps that have no meaning in a pod, each once. */
export const keysWithoutMeaning = (entries: readonly Entry[]): readonly string[] =>
  namesIn(entries, KEYS, ({stop, ready}) => [
    ...(stop?.signal === undefined ? [] : ['stop.signal']),
    ...(typeof ready === 'object' && ready.log !== undefined ? ['ready.log'] : [])
  ])

/** The keys without a meaning in a compose file, whose containers are restarted as it says. */
export const keysWithoutMeaningInCompose = (entries: readonly Entry[]): readonly string[] =>
  namesIn(entries, [...KEYS.filter(key => key !== 'restart'), 'replicas', 'unixDomainSocket'], ({ready}) =>
    typeof ready !== 'object' ? [] : ['http', 'tcp', 'log'].filter(key => key in ready).map(key => `ready.${key}`)
  )

const namesIn = (
  entries: readonly Entry[],
  keys: readonly AppKey[],
  inside: (values: AppValues) => readonly string[]
): readonly string[] => [
  ...new Set(
    entries.flatMap(({settings: {values}}) => [
      ...keys.filter(key => values[key] !== undefined && values[key] !== false),
      ...inside(values),
      ...(values.stop?.scope === undefined ? [] : ['stop.scope'])
    ])
  )
]
