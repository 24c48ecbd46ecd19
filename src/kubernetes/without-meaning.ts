import type {Entry} from '../config/service-versions.ts'
import type {AppKey} from '../config/merge.ts'

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
  'logs',
  'record'
]

/** The keys of these apps that have no meaning in a pod, each once. */
export function keysWithoutMeaning(entries: readonly Entry[]): readonly string[] {
  const found = entries.flatMap(({settings: {values}}): readonly string[] => [
    ...KEYS.filter(key => values[key] !== undefined && values[key] !== false),
    ...(values.stop?.signal === undefined ? [] : ['stop.signal']),
    ...(values.stop?.scope === undefined ? [] : ['stop.scope']),
    ...(typeof values.ready === 'object' && values.ready.log !== undefined ? ['ready.log'] : [])
  ])
  return [...new Set(found)]
}
