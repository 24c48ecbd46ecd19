import type {Entry} from '../../files/config/service-versions.ts'
import type {AppValues} from '../../files/config/keys.ts'
import type {AppKey} from '../../files/config/merge.ts'
import {RUN_KEYS} from './docker-service.ts'
import {dockerRunOf} from '../../model/docker-run.ts'

/** Keys that only concern a run on a laptop: its ports, the life of its processes, its logs and records. */
const PORTS: readonly AppKey[] = ['daprHTTPPort', 'daprGRPCPort', 'daprInternalGRPCPort', 'profilePort', 'autoPort']
const LIFE: readonly AppKey[] = [
  'runtimePath',
  'watch',
  'restart',
  'reload',
  'lazy',
  'idleTimeout',
  'setup',
  'teardown'
]
const KEYS: readonly AppKey[] = [...PORTS, ...LIFE, 'logs', 'record', 'replay', 'otel']
const IN_COMPOSE: readonly AppKey[] = [...KEYS.filter(key => key !== 'restart'), 'replicas', 'unixDomainSocket']
/** Flags of `docker run` that an export converts, or that only concern the laptop. */
const TAKEN = ' env entrypoint workdir rm name interactive tty detach init quiet replace'.split(' ')

/** Returns the keys of these apps that have no meaning in a pod, each once. */
export const keysWithoutMeaning = (entries: readonly Entry[]): readonly string[] =>
  namesIn(entries, KEYS, TAKEN, ({stop, ready}) => [
    ...(stop?.signal === undefined ? [] : ['stop.signal']),
    ...(typeof ready === 'object' && ready.log !== undefined ? ['ready.log'] : [])
  ])

/** Returns the keys without a meaning in a compose file, which has its own restart rules. */
export const keysWithoutMeaningInCompose = (entries: readonly Entry[]): readonly string[] =>
  namesIn(entries, IN_COMPOSE, [...TAKEN, ...RUN_KEYS.keys()], ({ready}) =>
    typeof ready !== 'object' ? [] : ['http', 'tcp', 'log'].filter(key => key in ready).map(key => `ready.${key}`)
  )

const namesIn = (
  entries: readonly Entry[],
  keys: readonly AppKey[],
  taken: readonly string[],
  inside: (values: AppValues) => readonly string[]
): readonly string[] => [
  ...new Set(
    entries.flatMap(({settings: {values}, plan}) => [
      ...(dockerRunOf(plan.command)?.flags.flatMap(([flag]) => (taken.includes(flag) ? [] : [`--${flag}`])) ??
        (values.command === undefined ? [] : ['command'])),
      ...keys.filter(key => values[key] !== undefined && values[key] !== false),
      ...inside(values),
      ...(['first', 'scope'] as const).flatMap(key => (values.stop?.[key] === undefined ? [] : [`stop.${key}`]))
    ])
  )
]
