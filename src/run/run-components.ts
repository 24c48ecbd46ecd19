import type {RunContext} from './run-context.ts'
import {dirname} from 'node:path'
import type {ComponentSet} from '../dapr/components/component-set.ts'
import type {PlacedComponent} from '../dapr/components/data-place.ts'
import type {Space} from '../control/space.ts'
import {messageOf} from '../model/errors.ts'
import {Once} from '../model/once.ts'
import {listenPorts, type AppPlan} from '../model/plan.ts'
import type {RedisServers} from '../dapr/components/redis/redis-servers.ts'
import type {ServerRefusal} from './foreign-servers.ts'
import type {SharedData} from './shared-data.ts'

/** The components of a run's apps, loaded when the first app needs one. */
export class RunComponents {
  readonly #context: Pick<RunContext, 'plan' | 'env' | 'run' | 'workMode' | 'reporter'>
  readonly #serverRefusal: ServerRefusal
  readonly #loading = new Once<ComponentSet>()
  readonly #redis = new Once<RedisServers>()
  readonly #space = new Once<Space | undefined>()
  readonly #sharedData = new Once<SharedData>()
  /** Settles when the data of all opened components have been noted. */
  #noting: Promise<void> = Promise.resolve()
  /** Whether the components of the files are open. */
  #isStarted = false

  /** Ports of started apps, one of which may be the Redis itself. */
  readonly #ports: Set<number>

  constructor(
    context: Pick<RunContext, 'plan' | 'env' | 'run' | 'workMode' | 'reporter'>,
    serverRefusal: ServerRefusal
  ) {
    this.#context = context
    this.#serverRefusal = serverRefusal
    this.#ports = new Set(context.plan.apps.flatMap(listenPorts))
  }

  /** Loads the components; all apps get the same set. */
  async load(): Promise<ComponentSet> {
    return this.#loading.do(async () => this.#load())
  }

  /** Closes the components, after the apps have closed theirs. */
  async close(): Promise<void> {
    await (await this.#redis.begun)?.close()
  }

  /** Reports the data that other copies use, too: of the components of the files, which are open now, and of each that is opened later. */
  async tellShared(): Promise<void> {
    this.#isStarted = true
    await this.#tellUnrecorded()
    await this.#noting
    ;(await this.#sharedData.begun)?.tell()
  }

  /** Frees the port of the built-in Redis until the run ends. Resolves with false if the run does not have it. */
  async releaseRedis(port: number): Promise<boolean> {
    return (await this.#redis.begun)?.release(port) ?? false
  }

  /** Closes the built-in Redis at the port of an app that is about to listen: an app that was left out, or that an edit adds. */
  async giveWay(app: AppPlan): Promise<void> {
    for (const port of listenPorts(app)) {
      this.#ports.add(port)
      await this.releaseRedis(port)
    }
  }

  /** Warns about a name in the template that no component has: it would go unnoticed, and real models would be called. */
  async #tellUnrecorded(): Promise<void> {
    const {plan, reporter} = this.#context
    const wanted = Object.entries(plan.conversation ?? {}).filter(([, {mode}]) => mode !== 'live')
    if (wanted.length === 0) return
    const recorded = (await this.#loading.begun)?.recorded
    for (const [name, {place}] of wanted)
      if (recorded?.has(name) !== true)
        reporter.warn('no-component', `${place.file}:${place.line}: ${noModelText(name)}`)
  }

  async #load(): Promise<ComponentSet> {
    const {ComponentSet: Components} = await import('../dapr/components/component-set.ts')
    const redis = {
      connect: async (...target: Parameters<RedisServers['connect']>) => (await this.#servers()).connect(...target)
    }
    const {env, plan} = this.#context
    return new Components({
      env,
      redis,
      serverRefusal: this.#serverRefusal,
      isOwnPort: port => this.#ports.has(port),
      ...(plan.conversation !== undefined && {conversation: {plans: plan.conversation, folder: dirname(plan.file)}}),
      ...(plan.movedPorts !== undefined && {movedPorts: plan.movedPorts}),
      ...(plan.file !== '' && {opened: component => void (this.#noting = this.#note(this.#noting, component))})
    })
  }

  /** Never rejects. */
  async #note(before: Promise<void>, component: PlacedComponent): Promise<void> {
    await before
    try {
      const {dataPlaceOf} = await import('../dapr/components/data-place.ts')
      const servers = await this.#redis.begun
      const place = dataPlaceOf(component, servers?.isOwn)
      if (place === undefined) return
      const data = await this.#sharedData.do(
        async () => new (await import('./shared-data.ts')).SharedData(this.#context)
      )
      data.add(place)
      if (this.#isStarted) data.tell()
    } catch (error) {
      const text = `what other copies share is not known: ${messageOf(error)}`
      this.#context.reporter.warn('data-shared', text)
    }
  }

  async #spaceOf(): Promise<Space | undefined> {
    const {env, plan} = this.#context
    const {file, copy = ''} = plan
    return this.#space.do(async () => (await import('../control/space.ts')).spaceOf(env, {file, copy}))
  }

  async #servers(): Promise<RedisServers> {
    const {env, workMode} = this.#context
    return this.#redis.do(async () => {
      const [{RedisServers: Servers}, {RedisOfCopies}] = await Promise.all([
        import('../dapr/components/redis/redis-servers.ts'),
        import('./redis-of-copies.ts')
      ])
      const servers: RedisServers = new Servers({
        ...this.#context,
        env: workMode === 'trial' ? {PILLION_REDIS: 'memory', ...env} : env,
        isOwnPort: port => this.#ports.has(port),
        space: async () => this.#spaceOf(),
        route: new RedisOfCopies(this.#context, port => servers.isOwn(port)).route
      })
      return servers
    })
  }
}

/** The warning, which `validate` prints, too. */
export const noModelText = (name: string): string =>
  `"conversation" names ${name}, and no app has an open component of conversation of this name: nothing is recorded or given back`
