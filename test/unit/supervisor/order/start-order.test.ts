import t from 'tap'
import type {AppState} from '../../../../src/model/app-state.ts'
import type {Dependency, ReadyPlan} from '../../../../src/model/plan.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {noProgress, progressed, type Progress} from '../../../../src/supervisor/order/progress.ts'
import {StartOrder} from '../../../../src/supervisor/order/start-order.ts'
import {TestClock} from '../../../rig/clock.ts'

const AWAKE = {beginsAsleep: false, isAsleep: false, isWaking: false, wake: () => false}

const EXITED = (code: number): AppState => ({phase: 'exited', exit: {kind: 'code', code}, asked: false})

/** Waits until promises that are resolved already have their effect. */
const settle = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Apps that start when the test says so, and what is asked of them and told. */
class Scene {
  readonly log: string[] = []
  /** Ids of the apps that were given pipes. */
  readonly piped: string[] = []
  readonly clock = new TestClock()
  isOver = false
  /** Ids of apps that could not be opened. */
  lost: readonly string[] = []
  readonly order: StartOrder
  readonly #apps = new Map<string, {progress: Progress; readonly spawned: () => void; readonly runtime: AppRuntime}>()

  constructor() {
    this.order = new StartOrder({
      shownAs: 'dapr.yaml',
      emit: event => {
        if (event.type === 'app-started') this.log.push(`told: ${event.app.id}`)
      },
      reporter: {warn: (_, text) => this.log.push(text)},
      runtimes: () => this.runtimes,
      lost: () => this.lost,
      isOver: () => this.isOver,
      clock: this.clock
    })
  }

  get runtimes(): readonly AppRuntime[] {
    return [...this.#apps.values()].map(({runtime}) => runtime)
  }

  /** An app that depends on these. */
  add(id: string, dependsOn: readonly Dependency[] = [], fault = '', ready: ReadyPlan['kind'] = 'spawned'): AppRuntime {
    const spawn = Promise.withResolvers<void>()
    const progressOf = (): Progress => this.#apps.get(id)?.progress ?? noProgress(id, true)
    const runtime = {
      id,
      name: id,
      fault,
      plan: {dependsOn, command: [id], logs: {folder: ''}, ready: {kind: ready}} as unknown as AppRuntime['plan'],
      get app() {
        return {state: progressOf().state} as AppRuntime['app']
      },
      get progress() {
        return progressOf()
      },
      sidecar: {id, httpPort: 0, grpcPort: 0, appPort: 0, command: [id]},
      pid: 0,
      start: async (pipes: unknown) => {
        if (pipes !== undefined) this.piped.push(id)
        this.log.push(`start: ${id}`)
        await spawn.promise
      },
      waits: (why: string) => this.log.push(`${id} waits until ${why}`),
      sleep: AWAKE,
      isDebugged: false,
      startAsleep: () => undefined,
      isGivenUp: false,
      giveUp: async () => {
        runtime.isGivenUp = true
        this.log.push(`given up: ${id}`)
        this.#move(id, {phase: 'exited', exit: undefined, asked: true})
      },
      reset: () => {
        runtime.isGivenUp = false
        const app = this.#apps.get(id)
        if (app !== undefined) app.progress = noProgress(id, true)
      }
    }
    const added = runtime as unknown as AppRuntime
    this.#apps.set(id, {progress: noProgress(id, true), spawned: spawn.resolve, runtime: added})
    return added
  }

  /** Its first process has been spawned. */
  async spawned(id: string): Promise<void> {
    this.#apps.get(id)?.spawned()
    this.#move(id, {phase: 'starting', pid: 1})
    await settle()
  }

  /** Somebody starts it again, after its end. */
  restarted(id: string): void {
    const app = this.#apps.get(id)
    if (app !== undefined) app.progress = noProgress(id, true)
    this.#move(id, {phase: 'starting', pid: 2})
  }

  async moves(id: string, state: AppState): Promise<void> {
    this.#move(id, state)
    await settle()
  }

  /** What was asked and told since the last call. */
  news(): readonly string[] {
    return this.log.splice(0)
  }

  #move(id: string, state: AppState): void {
    const app = this.#apps.get(id)
    if (app !== undefined) app.progress = progressed(app.progress, state)
    this.order.look()
  }
}

t.test('apps that wait for no other start at once, and are told in the order of the template', async t => {
  const scene = new Scene()
  for (const id of ['a', 'b', 'c']) scene.add(id)
  const begun = scene.order.begin([])
  t.same(scene.news(), ['start: a', 'start: b', 'start: c'])
  await scene.spawned('c')
  await scene.spawned('b')
  t.same(scene.news(), [])
  await scene.spawned('a')
  await begun
  t.same(scene.news(), ['told: a', 'told: b', 'told: c'])
})

t.test('an app starts when all that it depends on is there, and not before', async t => {
  const scene = new Scene()
  scene.add('migrate')
  scene.add('store')
  scene.add('shop', [
    {id: 'migrate', until: 'completed'},
    {id: 'store', until: 'ready'}
  ])
  const begun = scene.order.begin([])
  t.equal(scene.news()[0], 'shop waits until "migrate" has exited with code 0 and "store" is ready')
  await Promise.all(['migrate', 'store'].map(async id => scene.spawned(id)))
  await begun
  scene.news()
  await scene.moves('store', {phase: 'running', pid: 1, ready: true})
  t.same(scene.news(), ['shop waits until "migrate" has exited with code 0'])
  await scene.moves('migrate', EXITED(0))
  t.same(scene.news(), ['start: shop'])
  await scene.spawned('shop')
  t.same(scene.news(), ['told: shop'])
})

t.test('an app that is there early is told after those that wait for nobody', async t => {
  const scene = new Scene()
  scene.add('a')
  scene.add('slow')
  scene.add('b', [{id: 'a', until: 'started'}])
  const begun = scene.order.begin([])
  await scene.spawned('a')
  await scene.spawned('b')
  scene.news()
  await scene.spawned('slow')
  await begun
  await settle()
  t.same(scene.news(), ['told: slow', 'told: b'])
})

t.test('an app whose dependency fails is given up, and it is told why', async t => {
  const scene = new Scene()
  scene.add('migrate')
  scene.add('shop', [{id: 'migrate', until: 'completed'}])
  const begun = scene.order.begin([])
  await scene.spawned('migrate')
  await begun
  scene.news()
  await scene.moves('migrate', EXITED(3))
  t.match(scene.news(), [
    /^"shop" was not started: it depends on "migrate" completing, but "migrate" .*3/,
    'given up: shop'
  ])
})

t.test('a dependency that is started again releases what was given up because of it, also at second hand', async t => {
  const scene = new Scene()
  scene.add('migrate')
  scene.add('shop', [{id: 'migrate', until: 'completed'}])
  scene.add('page', [{id: 'shop', until: 'ready'}])
  const begun = scene.order.begin([])
  await scene.spawned('migrate')
  await begun
  await scene.moves('migrate', EXITED(3))
  t.match(scene.news().slice(-2), [/^"page" was not started: .* "shop" was not started$/, 'given up: page'])
  scene.restarted('migrate')
  t.same(
    [...new Set(scene.news())],
    ['shop waits until "migrate" has exited with code 0', 'page waits until "shop" is ready']
  )
  await scene.moves('migrate', EXITED(0))
  t.ok(scene.news().includes('start: shop'))
  await scene.spawned('shop')
  await scene.moves('shop', {phase: 'running', pid: 1, ready: true})
  t.ok(scene.news().includes('start: page'))
})

t.test('once the run is over nothing is started, given up or told any more', async t => {
  const scene = new Scene()
  scene.add('migrate')
  scene.add('shop', [{id: 'migrate', until: 'completed'}])
  const begun = scene.order.begin([])
  scene.news()
  scene.isOver = true
  await scene.spawned('migrate')
  await begun
  await scene.moves('migrate', EXITED(0))
  t.same(scene.news(), [])
})

t.test('an app that comes to the template starts at once, or waits like any other', async t => {
  const scene = new Scene()
  scene.add('a')
  const begun = scene.order.begin([])
  await scene.spawned('a')
  await begun
  scene.news()
  const late = scene.order.late(scene.add('b'))
  await scene.spawned('b')
  await late
  t.same(scene.news(), ['start: b', 'told: b'])
  await scene.order.late(scene.add('c', [{id: 'a', until: 'ready'}]))
  t.same(scene.news(), ['c waits until "a" is ready'])
  await scene.moves('a', {phase: 'running', pid: 1, ready: true})
  t.same(scene.news(), ['start: c'])
})

t.test('an app that cannot be started is given up with its reason, and so is who depends on it', async t => {
  const scene = new Scene()
  scene.add('stock', [], 'config.yaml:3: no')
  scene.add('late', [{id: 'shop', until: 'started'}], 'config.yaml:4: no')
  scene.add('shop')
  const begun = scene.order.begin([])
  scene.spawned('shop')
  await begun
  scene.order.look()
  await settle()
  t.same(
    scene.log.filter(line => !/waits|told/.test(line)),
    [
      '"stock" was not started: config.yaml:3: no',
      'given up: stock',
      'start: shop',
      '"late" was not started: config.yaml:4: no',
      'given up: late'
    ]
  )
  t.ok(scene.runtimes.some(({isGivenUp}) => isGivenUp))
})

const RUNNING: AppState = {phase: 'running', pid: 1, ready: true}
const toldOf = (scene: Scene): readonly string[] => scene.news().filter(line => line.includes('server'))
const COMPLETED: readonly Dependency[] = [{id: 'db', until: 'completed'}]

t.test('who waits for the end of a server says so once, and what to write', async t => {
  const scene = new Scene()
  scene.add('db', [], '', 'tcp')
  for (const id of ['web', 'api']) scene.add(id, COMPLETED)
  void scene.order.begin([])
  await scene.spawned('db')
  await scene.moves('db', {...RUNNING, ready: false})
  scene.clock.pass(100_000)
  scene.news()
  await scene.moves('db', RUNNING)
  scene.clock.pass(4999)
  t.same(toldOf(scene), [])
  scene.clock.pass(1)
  t.same(scene.news(), [
    '"web" waits until "db" ends, which has been ready for 5 s: if it is a server, write dependsOn: {db: ready}'
  ])
  scene.order.look()
  scene.clock.pass(100_000)
  t.same(toldOf(scene), [], 'once')
})

t.test('where the first that waits for a server is stopped, another one says so', async t => {
  const scene = new Scene()
  scene.add('db', [], '', 'tcp')
  for (const id of ['web', 'api']) scene.add(id, COMPLETED)
  void scene.order.begin([])
  await scene.spawned('db')
  await scene.moves('db', RUNNING)
  await scene.moves('web', {phase: 'exited', exit: undefined, asked: true})
  scene.news()
  scene.clock.pass(5000)
  t.match(toldOf(scene), [/^"api" waits until "db" ends/])
})

t.test('a one-shot app that ends in time is no server; one without a port has a minute', async t => {
  const scene = new Scene()
  scene.add('db')
  scene.add('web', COMPLETED)
  void scene.order.begin([])
  await scene.spawned('db')
  await scene.moves('db', RUNNING)
  scene.clock.pass(59_999)
  scene.news()
  await scene.moves('db', EXITED(0))
  scene.clock.pass(100_000)
  t.same(toldOf(scene), [])

  const slow = new Scene()
  slow.add('db')
  slow.add('web', COMPLETED)
  void slow.order.begin([])
  await slow.spawned('db')
  await slow.moves('db', RUNNING)
  slow.news()
  slow.clock.pass(60_000)
  t.match(slow.news(), [/ready for 60 s: if it is a server, write dependsOn: \{db: started\}$/])
})

t.test('when the run is over, nothing is told any more', async t => {
  const scene = new Scene()
  scene.add('db', [], '', 'http')
  scene.add('web', COMPLETED)
  void scene.order.begin([])
  await scene.spawned('db')
  await scene.moves('db', RUNNING)
  scene.isOver = true
  scene.order.look()
  scene.news()
  scene.clock.pass(100_000)
  t.same(scene.news(), [])
})

t.test('an app that the user starts in a debugger gets no pipes: nobody would close them', async t => {
  const scene = new Scene()
  Object.assign(scene.add('a'), {isDebugged: true})
  scene.add('b')
  void scene.order.begin([{} as Parameters<StartOrder['begin']>[0][number]])
  await settle()
  t.same(scene.piped, ['b'])
})

t.test('what depends on an app that could not be opened is given up, and waits for it once it is there', async t => {
  const scene = new Scene()
  scene.lost = ['db']
  await scene.order.added(scene.add('web', [{id: 'db', until: 'ready'}]))
  const why = '"web" was not started: it depends on "db" becoming ready, but "db" was not started'
  t.same(scene.news(), [why, 'given up: web'])
  scene.order.look()
  t.same(scene.news(), [])
  scene.add('db')
  scene.order.look()
  t.same(scene.news(), ['web waits until "db" is ready'])
  scene.lost = []
  await scene.moves('db', {phase: 'running', pid: 1, ready: true})
  t.same(scene.news(), ['start: web'])
})

t.test('an instance that an edit opens of a lazy app begins asleep, and wakes with another one', async t => {
  for (const other of [{pid: 0}, {pid: 1}, {pid: 0, sleep: {...AWAKE, isWaking: true}}]) {
    const scene = new Scene()
    const sleep = {...AWAKE, beginsAsleep: true, wake: () => scene.log.push('wakes')}
    for (const app of [other, {sleep}]) Object.assign(scene.add(`${scene.runtimes.length}`), {...app, id: 'shop'})
    for (const runtime of scene.runtimes.slice(1)) void scene.order.added(runtime)
    t.same(scene.news(), other.pid === 0 && other.sleep === undefined ? [] : ['wakes'])
  }
})

t.test('a look at those who wait reads their dependencies alone, however many apps there are', async t => {
  let [reads, waits] = [0, 0]
  const runtimes = Array.from({length: 200}, (_, id) => ({
    id: `${id}`,
    plan: {dependsOn: id === 0 ? [] : [{id: `${id - 1}`, until: 'started'}], command: ['x'], logs: {}},
    app: {state: {phase: 'idle'}},
    sleep: AWAKE,
    fault: '',
    start: async () => undefined,
    waits: () => waits++,
    get progress() {
      reads++
      return noProgress(`${id}`, true)
    }
  })) as unknown as readonly AppRuntime[]
  const of = {shownAs: '', lost: () => [], isOver: () => false, runtimes: () => runtimes}
  await new StartOrder({...of, emit: () => undefined, reporter: {warn: () => undefined}}).begin([])
  t.same([waits, reads], [199, 199])
})

t.test('an app that has left the run while it waited is not started', async t => {
  const scene = new Scene()
  scene.add('store')
  const shop = scene.add('shop', [{id: 'store', until: 'started'}])
  void scene.order.begin([])
  scene.order.leave(shop)
  await scene.spawned('store')
  t.notOk(scene.news().includes('start: shop'))
})
