import type {Binding} from '../binding.ts'
import type {ComponentType, TypesOf} from '../component.ts'
import {KAFKA_PROPERTIES, POSTGRESQL_PROPERTIES, REDIS_PROPERTIES} from '../server-properties.ts'

/** Common properties of all bindings (Dapr: pkg/runtime/processor/binding). */
const BINDING_PROPERTIES = ['direction', 'route']

const INPUT = 'INPUT_BINDING'
const OUTPUT = 'OUTPUT_BINDING'

const POSTGRESQL: ComponentType<Binding> = {
  properties: [...POSTGRESQL_PROPERTIES, ...BINDING_PROPERTIES],
  capabilities: [OUTPUT],
  load: async () => (await import('./postgresql.ts')).open,
  // an app may close it, for itself alone
  isPrivate: true,
  hasClient: true
}

export const BINDING_TYPES: TypesOf<Binding> = {
  cron: {
    properties: [...BINDING_PROPERTIES, 'schedule'],
    capabilities: [INPUT],
    load: async () => (await import('./cron.ts')).open
  },
  http: {
    properties: [
      ...BINDING_PROPERTIES,
      'url',
      'errorIfNot2XX',
      'maxResponseBodySize',
      'MTLSClientCert',
      'MTLSClientKey',
      'MTLSRenegotiation',
      'MTLSRootCA',
      'responseTimeout',
      'securityToken',
      'securityTokenHeader'
    ],
    capabilities: [OUTPUT],
    load: async () => (await import('./http.ts')).open,
    usesFolder: true
  },
  kafka: {
    properties: [...KAFKA_PROPERTIES, ...BINDING_PROPERTIES, 'publishTopic', 'topics'],
    capabilities: [INPUT, OUTPUT],
    load: async () => (await import('./kafka.ts')).open,
    hasClient: true
  },
  localstorage: {
    properties: [...BINDING_PROPERTIES, 'rootPath'],
    capabilities: [OUTPUT],
    load: async () => (await import('./local-storage.ts')).open,
    usesFolder: true
  },
  postgres: POSTGRESQL,
  postgresql: POSTGRESQL,
  redis: {
    properties: [...REDIS_PROPERTIES, ...BINDING_PROPERTIES],
    capabilities: [OUTPUT],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  }
}
