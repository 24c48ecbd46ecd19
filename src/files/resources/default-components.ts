import {existsSync} from 'node:fs'
import type {ResourcesPlan} from '../../model/plan.ts'
import type {ComponentResource} from './components.ts'
import {STATE_CAPABILITIES} from './component-types.ts'

const REDIS: readonly (readonly [name: string, value: string])[] = [
  ['redisHost', 'localhost:6379'],
  ['redisPassword', '']
]

interface RedisType {
  readonly type: string
  readonly capabilities: readonly string[]
}

function redisComponent(name: string, {type, capabilities}: RedisType, more: typeof REDIS = []): ComponentResource {
  const place = {file: `(the ${name} that "dapr init" writes)`, line: 1, column: 1, source: ''}
  return {
    name,
    namespace: '',
    scopes: [],
    type,
    isOfDapr: true,
    capabilities,
    version: 'v1',
    properties: [...REDIS, ...more].map(([property, value]) => ({
      name: property,
      value,
      secret: undefined,
      envRef: '',
      place
    })),
    initTimeoutMs: 5000,
    ignoresErrors: false,
    secretStore: '',
    isDefault: true,
    place,
    typePlace: place
  }
}

const DEFAULT_COMPONENTS: readonly ComponentResource[] = [
  redisComponent('pubsub', {type: 'pubsub.redis', capabilities: []}),
  redisComponent('statestore', {type: 'state.redis', capabilities: STATE_CAPABILITIES}, [['actorStateStore', 'true']])
]

/** Components that `dapr init` writes into its folder, for quickstarts and apps without a folder of resources. */
export const usualComponents = ({
  folders,
  defaultFolder
}: Pick<ResourcesPlan, 'folders' | 'defaultFolder'>): readonly ComponentResource[] =>
  folders.every(folder => folder.startsWith(defaultFolder) && !existsSync(folder)) ? DEFAULT_COMPONENTS : []
