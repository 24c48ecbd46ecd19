import type {Block} from '../../model/dapr/api/api.ts'
import {MIDDLEWARE_TYPES} from './middleware-types.ts'

const STATE = ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE', 'ACTOR']
const INPUT = ['INPUT_BINDING']
const OUTPUT = ['OUTPUT_BINDING']

/**
 * The types that are built, by category and the part behind it, with what they can do unless their properties say otherwise,
 * in Dapr's words. All else stands next to their code: `dapr/components/block-types.ts`.
 */
const CAPABILITIES: {readonly [B in Block]: Readonly<Record<string, readonly string[]>>} = {
  secretstores: {'local.env': [], 'local.file': []},
  state: {
    'in-memory': ['ETAG', 'TRANSACTIONAL', 'TTL', 'DELETE_WITH_PREFIX', 'KEYS_LIKE', 'ACTOR'],
    postgres: STATE,
    postgresql: STATE,
    redis: STATE,
    sqlite: STATE
  },
  configuration: {postgres: [], postgresql: [], redis: []},
  lock: {redis: []},
  crypto: {'dapr.jwks': [], 'dapr.localstorage': []},
  conversation: {
    anthropic: [],
    deepseek: [],
    echo: [],
    googleai: [],
    huggingface: [],
    mistral: [],
    ollama: [],
    openai: []
  },
  pubsub: {'in-memory': [], kafka: ['BULK_PUBSUB'], rabbitmq: ['MESSAGE_TTL'], redis: []},
  bindings: {
    cron: INPUT,
    http: OUTPUT,
    kafka: [...INPUT, ...OUTPUT],
    localstorage: OUTPUT,
    postgres: OUTPUT,
    postgresql: OUTPUT,
    redis: OUTPUT
  }
}

/** The two parts of a type: `state` and `redis` of `state.redis`. */
export const splitType = (type: string): readonly [category: string, kind: string] => {
  const point = type.indexOf('.')
  return point < 0 ? [type, ''] : [type.slice(0, point), type.slice(point + 1)]
}

/** Whether a category is one whose calls are served here. */
export const isBlock = (category: string): category is Block => Object.hasOwn(CAPABILITIES, category)

/** What a type of Component can do whose calls are served here; undefined: it is another one, or not built. */
export const capabilitiesOf = (type: string): readonly string[] | undefined => {
  const [category, kind] = splitType(type)
  return isBlock(category) && Object.hasOwn(CAPABILITIES[category], kind) ? CAPABILITIES[category][kind] : undefined
}

/** Whether a type is built. */
export const isComponentType = (type: string): boolean =>
  capabilitiesOf(type) !== undefined || MIDDLEWARE_TYPES.some(each => `middleware.http.${each}` === type)
