import {Random} from '../../fuzz/random.ts'
import {isTerminal} from '../../../src/work/workflow/status.ts'
import type {WalkRun} from './run.ts'
import {anyOps, EVENTS, IDS, inbox, listener, monitor, overseer, type Op, type Program} from './program.ts'
import type {WorkWorld} from './world.ts'
import type {Fault} from './disk.ts'
import {SLEEPS} from './sleeps.ts'
import type {Planned} from './series.ts'

/** A step of a walk; the numbers decide what it is about. */
export interface WorkStep {
  readonly kind: string
  readonly a: number
  readonly b: number
  /** The next one follows in the same instant. */
  readonly isHurried: boolean
}

/** A step makes no sense as things are. */
export class NotNow extends Error {}

/** One of these, where there is any. */
function oneOf<T>(random: Random, all: readonly T[]): T {
  if (all.length === 0) throw new NotNow()
  return random.pick(all)
}

/** Does it, or throws a NotNow. */
type Do = (world: WorkWorld, random: Random) => unknown

const APPS = ['a', 'b', 'c'] as const
/** Of a firing without a policy. */
const DEFAULT_RETRIES = 3
const PASSES = [1, 500, 1000, 2000, 10_000, 60_000] as const

/** The latest plan of each job and reminder that was acknowledged. */
const plansOf = new WeakMap<WalkRun, Map<string, Planned>>()

function beUnsure(plans: readonly Planned[]): void {
  for (const each of plans) if (each.state !== 'over') each.state = 'unsure'
}

function setPlan(
  world: WorkWorld,
  run: WalkRun,
  name: string,
  {repeats, retries}: {readonly repeats: number; readonly retries: number},
  set: (serial: number) => Promise<unknown>
): void {
  let plans = plansOf.get(run)
  if (plans === undefined) plansOf.set(run, (plans = new Map<string, Planned>()))
  const known = plans
  const {serial} = world
  const plan = run.series.plan(serial, name, repeats, retries)
  world.ask(
    async () => set(serial),
    () => {
      const before = known.get(name)
      // of two that are set at once the later one counts
      if (before !== undefined && before.serial > serial) plan.state = 'over'
      else if (plan.state === 'asked') {
        if (before !== undefined) before.state = 'over'
        known.set(name, plan)
        plan.state = 'kept'
      }
    },
    isUnsure => {
      if (isUnsure) beUnsure(run.series.named(name))
      else plan.state = 'over'
    }
  )
}

function endPlan(world: WorkWorld, run: WalkRun, name: string, end: () => Promise<unknown>): void {
  const before = run.series.named(name)
  world.ask(
    end,
    () => before.forEach(each => void (each.state = 'over')),
    isUnsure => {
      if (isUnsure) beUnsure(before)
    }
  )
}

const tell = (world: WorkWorld, random: Random, kind: 'suspend' | 'resume' | 'terminate' | 'event'): void => {
  const open = world.instances().filter(({status}) => !isTerminal(status))
  const {app, id} =
    open.length === 0 || random.oneIn(4) ? {app: random.pick(APPS), id: random.pick(IDS)} : random.pick(open)
  if (kind === 'event') return world.raise(app, id, random.pick(EVENTS))
  const {workflows} = world.runOf(app)
  const events = {
    suspend: {executionSuspended: {input: undefined}},
    resume: {executionResumed: {input: undefined}},
    terminate: {executionTerminated: {input: undefined, recurse: random.oneIn(2)}}
  }
  world.ask(async () => workflows.tell(app, id, kind, events[kind]))
}

const start = (world: WorkWorld, random: Random, ops: (random: Random) => readonly Op[]): void => {
  const app = random.pick(APPS)
  const run = world.runOf(app)
  const program: Program = {
    serial: String(world.serial),
    round: 0,
    rounds: random.pick([1, 1, 2, 3]),
    ops: ops(random)
  }
  const startAt = random.oneIn(5) ? run.clock.date() + 5000 : undefined
  const request = {id: random.pick(IDS), name: 'w', input: JSON.stringify(program), startAt}
  const before = run.workflows.find(app, request.id)
  world.ask(
    async () => run.workflows.start(app, request),
    () => {
      if (before !== undefined && !isTerminal(before.status))
        world.watch.fault(`workflow ${app} ${request.id} was started again before it had ended`)
    }
  )
}

/** Each kind of step, and how often it comes. */
export const KINDS: Readonly<Record<string, readonly [weight: number, act: Do]>> = {
  ...SLEEPS,
  start: [
    14,
    (world, random) =>
      start(world, random, random => random.pick([monitor, overseer, inbox, anyOps, anyOps, anyOps])(random))
  ],
  'start a listener': [3, (world, random) => start(world, random, listener)],
  answer: [
    30,
    (world, random) => {
      world.answer(oneOf(random, world.inHand()))
    }
  ],
  'answer a turn': [
    16,
    (world, random) => {
      const turns = world.inHand().filter(({kind}) => kind === 'turn')
      world.answer(oneOf(random, turns))
    }
  ],
  'answer all': [6, world => world.inHand().forEach(held => world.answer(held))],
  'answer late': [
    6,
    (world, random) => {
      const late = [...world.watch.held].filter(({worker}) => !worker.isConnected && worker.sendsTokens)
      world.answer(oneOf(random, late))
    }
  ],
  'answer twice': [
    3,
    (world, random) => {
      const twice = oneOf(
        random,
        world.inHand().filter(({worker}) => worker.sendsTokens)
      )
      world.answer(twice)
      world.answer(twice)
    }
  ],
  'answer as another app': [
    1,
    (world, random) => {
      const held = world.inHand().filter(({worker}) => worker.sendsTokens)
      const app = random.pick(APPS)
      const one = oneOf(random, held)
      if (one.worker.app === app) throw new NotNow()
      world.answer(one, app)
    }
  ],
  connect: [
    8,
    (world, random) => {
      const app = random.pick(APPS)
      world.runOf(app).connect(app, world.tokens.get(app) !== false)
    }
  ],
  leave: [
    5,
    (world, random) => {
      const {workers} = random.pick(world.runs)
      oneOf(random, workers).leave()
    }
  ],
  reload: [
    3,
    (world, random) => {
      const run = random.pick(world.runs)
      const worker = oneOf(random, run.workers)
      const stop = new AbortController()
      const drained = run.workflows.present(worker.app, worker.home)(stop.signal)
      if (random.oneIn(2)) stop.abort()
      world.ask(
        async () => drained,
        () => {
          if (!worker.isConnected) return
          worker.leave()
          run.connect(worker.app, worker.sendsTokens)
        }
      )
    }
  ],
  event: [18, (world, random) => tell(world, random, 'event')],
  suspend: [2, (world, random) => tell(world, random, 'suspend')],
  resume: [2, (world, random) => tell(world, random, 'resume')],
  terminate: [4, (world, random) => tell(world, random, 'terminate')],
  purge: [
    4,
    (world, random) => {
      const [app, id] = [random.pick(APPS), random.pick(IDS)]
      const {workflows} = world.runOf(app)
      const found = workflows.find(app, id)
      const isForced = random.oneIn(3) && found?.parent === undefined
      world.ask(async () => workflows.purge(app, id, {isRecursive: isForced || random.oneIn(2), isForced}))
    }
  ],
  rerun: [
    2,
    (world, random) => {
      const app = random.pick(APPS)
      const request = {
        id: random.pick(IDS),
        eventId: undefined,
        newId: `r-${world.serial}`,
        input: undefined,
        newChildId: undefined
      }
      world.ask(async () => world.runOf(app).workflows.rerun(app, request))
    }
  ],
  'skip timer': [
    2,
    (world, random) => {
      const app = random.pick(APPS)
      const {workflows} = world.runOf(app)
      const found = workflows.find(app, random.pick(IDS))
      if (found === undefined) throw new NotNow()
      world.ask(async () => workflows.skipTimer(found, undefined))
    }
  ],
  skip: [2, (world, random) => random.pick(world.runs).skip(random.pick([1000, 30_000, 3_600_000]), world)],
  pass: [20, async (world, random) => world.pass(random.pick(PASSES))],
  jump: [1, (world, random) => random.pick(world.runs).clock.jump(random.pick([-5000, 5000, 3_600_000]))],
  retention: [1, (world, random) => void (random.pick(world.runs).retention = random.pick([undefined, 0, 5000]))],
  'body size': [2, (world, random) => void (random.pick(world.runs).maxBytes = random.pick([Infinity, 400, 1000]))],
  'fail writes': [
    4,
    (world, random) => {
      const {disk} = random.pick(world.runs)
      disk.fault = random.pick<Fault>(['busy', 'read-only', 'i/o', 'full'])
      disk.faultsAfter = random.pick([0, 0, 1, 2, 3, 4, 6, 9])
      disk.faults = random.pick([1, 1, 2, 5, 30])
      disk.isGivenUp = random.oneIn(3)
    }
  ],
  'write again': [3, world => world.runs.forEach(({disk}) => void (disk.faults = 0))],
  crash: [
    2,
    (world, random) => {
      const {disk} = random.pick(world.runs)
      disk.crashAt = disk.writes + 1 + random.below(12)
      disk.isAfter = random.oneIn(2)
    }
  ],
  restart: [1, (world, random) => world.restart(random.pick(world.runs))],
  unlink: [1, world => world.unlink()],
  link: [2, world => world.link()],
  job: [
    8,
    (world, random) => {
      const app = random.pick(APPS)
      const run = world.runOf(app)
      const name = random.pick(['j1', 'j2'])
      const isRepeated = random.oneIn(2)
      const repeats = isRepeated ? random.pick([Infinity, 1, 2, 3]) : 1
      const times = isRepeated
        ? {
            schedule: random.pick(['@every 1s', '@every 7s', '*/5 * * * * *']),
            repeats: repeats === Infinity ? undefined : repeats
          }
        : {dueTime: random.pick(['0s', '1s', '5s'])}
      const policy = random.oneIn(3) ? ({kind: 'constant', intervalMs: 500} as const) : undefined
      const retries = policy === undefined ? DEFAULT_RETRIES : Infinity
      setPlan(world, run, `job ${app} ${name}`, {repeats, retries}, async serial =>
        run.jobs.schedule(
          app,
          {name, ...times, policy, data: {typeUrl: '', value: Buffer.from(String(serial))}},
          random.oneIn(2)
        )
      )
    }
  ],
  'job deleted': [
    2,
    (world, random) => {
      const [app, name] = [random.pick(APPS), random.pick(['j1', 'j2'])]
      const run = world.runOf(app)
      endPlan(world, run, `job ${app} ${name}`, async () => run.jobs.delete(app, name))
    }
  ],
  'job verb': [
    3,
    (world, random) => {
      const kept = world.runs.flatMap(({series}) => [...series.planned.values()]).filter(({state}) => state === 'kept')
      const known = kept.map(each => each.name.split(' ')).filter(([kind]) => kind === 'job')
      const [, app = random.pick(APPS), name = 'j1'] = known.length === 0 ? [] : random.pick(known)
      const run = world.runOf(app)
      const verb = random.pick(['pause', 'resume', 'resume', 'run'] as const)
      if (verb !== 'pause') run.series.allowOneMore(`job ${app} ${name}`)
      world.ask(async () => run.jobs[verb](app, name))
    }
  ],
  ready: [4, (world, random) => random.pick(world.runs).ready(random.pick(APPS))],
  unready: [2, (world, random) => random.pick(world.runs).unready(random.pick(APPS))],
  'unready late': [2, (world, random) => random.pick(world.runs).unready(random.pick(APPS), true)],
  reminder: [
    8,
    (world, random) => {
      const run = random.pick(world.runs)
      const [id, name] = [random.pick(['1', '2']), random.pick(['r1', 'r2'])]
      const isRepeated = random.oneIn(2)
      const repeats = isRepeated ? random.pick([Infinity, 2, 3]) : 1
      const times = {
        dueTime: isRepeated && random.oneIn(2) ? '' : random.pick(['0s', '1s', '5s']),
        period: isRepeated ? `${repeats === Infinity ? '' : `R${repeats}/`}${random.pick(['PT1S', 'PT7S'])}` : ''
      }
      const policy = random.oneIn(3) ? ({kind: 'constant', intervalMs: 500} as const) : undefined
      const retries = policy === undefined ? DEFAULT_RETRIES : Infinity
      setPlan(world, run, `reminder ${id} ${name}`, {repeats, retries}, async serial =>
        run.reminders.set(
          'a',
          {type: 'T', id, name},
          {...times, ttl: '', callback: '', data: String(serial), overwrites: random.oneIn(2), policy}
        )
      )
    }
  ],
  'reminder deleted': [
    2,
    (world, random) => {
      const run = random.pick(world.runs)
      const [id, name] = [random.pick(['1', '2']), random.pick(['r1', 'r2'])]
      endPlan(world, run, `reminder ${id} ${name}`, async () => run.reminders.delete({type: 'T', id, name}))
    }
  ],
  'actor called': [
    3,
    (world, random) => {
      const {actors} = random.pick(world.runs)
      const work = {kind: 'method', method: 'm', query: '', lines: '', body: Buffer.alloc(0)} as const
      const request = {
        type: 'T',
        id: random.pick(['1', '2']),
        work,
        caller: undefined,
        reentrancyId: '',
        onStop: () => undefined
      }
      world.ask(async () => actors.run(request))
    }
  ],
  delivered: [
    14,
    (world, random) => {
      const {series} = random.pick(world.runs)
      const one = oneOf(random, [...series.open])
      series.open.delete(one)
      one.answer(random.oneIn(4) ? 'failed' : 'done')
    }
  ],
  host: [5, (world, random) => random.pick(world.runs).host(random.pick(['h1', 'h2']))],
  unhost: [3, (world, random) => random.pick(world.runs).unhost(random.pick(['h1', 'h2']), random.oneIn(2))],
  'unhost late': [
    2,
    (world, random) => random.pick(world.runs).unhost(random.pick(['h1', 'h2']), random.oneIn(2), true)
  ],
  'hosts retire': [
    2,
    (world, random) => {
      const {actors, clock} = random.pick(world.runs)
      const stop = new AbortController()
      if (random.oneIn(2)) clock.clock().after(500, () => stop.abort())
      world.ask(async () => actors.retire(random.pick(['h1', 'h2']), stop.signal))
    }
  ],
  'another SDK': [
    2,
    (world, random) => {
      const app = random.pick(APPS)
      if (world.runOf(app).workers.some(each => each.app === app)) throw new NotNow()
      world.tokens.set(app, world.tokens.get(app) === false)
    }
  ]
}

const WEIGHTED = Object.entries(KINDS).flatMap(([kind, [weight]]) => Array.from({length: weight}, () => kind))

/** The walk of a seed. */
export function workWalk(seed: number, steps: number): readonly WorkStep[] {
  const random = new Random('work', seed)
  return Array.from({length: steps}, () => ({
    kind: random.pick(WEIGHTED),
    a: random.below(1000),
    b: random.below(1000),
    isHurried: random.oneIn(3)
  }))
}
