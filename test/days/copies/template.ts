import {join} from 'node:path'
import {component} from '../../rig/resource-files.ts'

const SHOP = join(import.meta.dirname, '../../fixtures/apps/copy-shop.mjs')

/** How components write the address of the Redis of the template. */
const HOSTS: readonly ((port: number) => Readonly<Record<string, string>>)[] = [
  port => ({redisHost: `localhost:${port}`}),
  port => ({redisHost: `127.0.0.1:${port}`}),
  port => ({redisHost: 'localhost', redisPort: port.toString()})
]

/** What the files of a copy say. */
export interface Written {
  readonly shop: number
  readonly redis: number
  /** The port of a third app; 0 = there is none. */
  readonly extra: number
  /** How its components name the Redis. */
  readonly host: number
}

/** On a busy machine an app closes a connection as an event comes. */
const RETRIES = JSON.stringify({
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Resiliency',
  metadata: {name: 'again'},
  spec: {
    policies: {retries: {again: {policy: 'constant', duration: '200ms', maxRetries: 50}}},
    targets: {components: {bus: {inbound: {retry: 'again'}}}}
  }
})

/** The ids of the apps that a template has. */
export const idsOf = ({extra}: Written): readonly string[] => ['redis', 'shop', ...(extra > 0 ? ['extra'] : [])]

/** The files of a shop; `kept`: the number of a Redis that no app is, so that the run stands in for it. */
export function filesOf(written: Written, kept: number): Readonly<Record<string, string>> {
  const {shop, redis, extra, host} = written
  const server = {command: ['node', SHOP], env: {REDIS_URL: `redis://localhost:${redis}`}}
  const apps = [
    {
      appID: 'redis',
      appDirPath: './redis',
      appPort: redis,
      command: [
        'sh',
        '-c',
        'mkdir -p data && exec redis-server --bind 127.0.0.1 --port $APP_PORT --dir data --appendonly yes --save ""'
      ],
      ready: {command: ['sh', '-c', 'redis-cli -p $APP_PORT ping']}
    },
    {appID: 'shop', appDirPath: './shop', appPort: shop, dependsOn: {redis: 'ready'}, ...server},
    ...(extra > 0 ? [{appID: 'extra', appDirPath: './extra', appPort: extra, ...server}] : [])
  ]
  const address = HOSTS[host % HOSTS.length]?.(redis) ?? {}
  return {
    'dapr.yaml': JSON.stringify({version: 1, common: {resourcesPath: './resources'}, apps}, null, 2),
    'resources/store.yaml': component('store', 'state.redis', address),
    'resources/bus.yaml': component('bus', 'pubsub.redis', {
      ...address,
      redeliverInterval: '1s',
      processingTimeout: '2s'
    }),
    'resources/retries.yaml': RETRIES,
    'resources/kept.yaml': component('kept', 'state.redis', {redisHost: `localhost:${kept}`}),
    'redis/README.md': '',
    'shop/README.md': '',
    'extra/README.md': '',
    '.gitignore': 'data\nid.txt\n.dapr\n'
  }
}
