import type {ComponentSet} from '../dapr/components/component-set.ts'
import type {Plan} from '../model/plan.ts'
import type {LocalRedisOptions} from '../dapr/components/redis/local-redis.ts'
import type {RedisServers} from '../dapr/components/redis/redis-servers.ts'

export interface RunComponentsOptions extends Omit<LocalRedisOptions, 'isOwnPort' | 'space'> {
  readonly plan: Plan
}

/** The components of a run's apps, loaded when the first app needs one. */
export class RunComponents {
  readonly #options: RunComponentsOptions
  #loading: Promise<ComponentSet> | undefined
  #redis: Promise<RedisServers> | undefined

  constructor(options: RunComponentsOptions) {
    this.#options = options
  }

  /** Loads them; all apps get the same. */
  async load(): Promise<ComponentSet> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** After the apps have closed theirs. */
  async close(): Promise<void> {
    await (await this.#redis)?.close()
  }

  /** Lets the port of the built-in Redis go until the run ends; false: it is not held. */
  async releaseRedis(port: number): Promise<boolean> {
    return (await this.#redis)?.release(port) ?? false
  }

  async #load(): Promise<ComponentSet> {
    const {ComponentSet: Components} = await import('../dapr/components/component-set.ts')
    const redis = {
      connect: async (...target: Parameters<RedisServers['connect']>) => (await this.#servers()).connect(...target)
    }
    return new Components({env: this.#options.env, redis})
  }

  async #servers(): Promise<RedisServers> {
    const {env, plan} = this.#options
    const {file, copy = ''} = plan
    this.#redis ??= import('../dapr/components/redis/redis-servers.ts').then(
      ({RedisServers: Servers}) =>
        new Servers({
          ...this.#options,
          isOwnPort: port => isPortOf(plan, port),
          space: async () => (await import('../control/space.ts')).spaceOf(env, {file, copy})
        })
    )
    return this.#redis
  }
}

/** An app of the plan listens at this port, or is waited for there. */
const isPortOf = ({apps}: Plan, port: number): boolean =>
  apps.some(
    ({ready, channel, fixedPort}) =>
      channel.port === port || fixedPort === port || (ready.kind === 'tcp' && ready.port === port)
  )
