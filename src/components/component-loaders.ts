import type {BlockTypes} from './block-types.ts'
import type {Component, OpenComponent} from './component.ts'

/** How a type of component is opened. */
export interface ComponentLoader<T extends Component = Component> {
  /** Loads its code. */
  readonly load: () => Promise<OpenComponent<T>>
  /** Paths in its metadata start in the folder of the app: apps in different folders do not share it. */
  readonly usesFolder?: boolean
  /** Each sidecar has its own: apps do not share it. */
  readonly isPrivate?: boolean
  /** A library's client works for it in the background. */
  readonly hasClient?: boolean
  /** Versions besides `v1`. */
  readonly versions?: readonly string[]
}

type Loaders = {readonly [B in keyof BlockTypes]: Readonly<Record<string, ComponentLoader<BlockTypes[B]>>>}

// an app may close it, for itself alone
const POSTGRES_BINDING = {
  load: async () => (await import('./bindings/postgresql.ts')).open,
  isPrivate: true,
  hasClient: true
}
const POSTGRES_STATE = {
  load: async () => (await import('./state/postgresql.ts')).open,
  versions: ['v2'],
  hasClient: true
}
const POSTGRES_CONFIGURATION = {load: async () => (await import('./configuration/postgresql.ts')).open, hasClient: true}

/** The types that are built, by the part behind their category; `resources/component-types.ts` has their properties. */
export const COMPONENT_LOADERS: Loaders = {
  secretstores: {
    'local.env': {load: async () => (await import('./secrets/local-env.ts')).open},
    'local.file': {load: async () => (await import('./secrets/local-file.ts')).open, usesFolder: true}
  },
  state: {
    'in-memory': {load: async () => (await import('./state/in-memory.ts')).open},
    postgres: POSTGRES_STATE,
    postgresql: POSTGRES_STATE,
    redis: {load: async () => (await import('./state/redis.ts')).open, hasClient: true},
    sqlite: {load: async () => (await import('./state/sqlite.ts')).open, usesFolder: true, versions: ['v2']}
  },
  configuration: {
    postgres: POSTGRES_CONFIGURATION,
    postgresql: POSTGRES_CONFIGURATION,
    redis: {load: async () => (await import('./configuration/redis.ts')).open, hasClient: true}
  },
  lock: {redis: {load: async () => (await import('./lock/redis.ts')).open, hasClient: true}},
  pubsub: {
    'in-memory': {load: async () => (await import('./pubsub/in-memory.ts')).open, isPrivate: true},
    kafka: {load: async () => (await import('./pubsub/kafka.ts')).open, hasClient: true},
    rabbitmq: {load: async () => (await import('./pubsub/rabbitmq.ts')).open, hasClient: true},
    redis: {load: async () => (await import('./pubsub/redis.ts')).open, hasClient: true}
  },
  bindings: {
    cron: {load: async () => (await import('./bindings/cron.ts')).open},
    http: {load: async () => (await import('./bindings/http.ts')).open, usesFolder: true},
    kafka: {load: async () => (await import('./bindings/kafka.ts')).open, hasClient: true},
    localstorage: {load: async () => (await import('./bindings/local-storage.ts')).open, usesFolder: true},
    postgres: POSTGRES_BINDING,
    postgresql: POSTGRES_BINDING,
    redis: {load: async () => (await import('./bindings/redis.ts')).open, hasClient: true}
  }
}
