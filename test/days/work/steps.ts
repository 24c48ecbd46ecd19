import {Random} from '../../fuzz/random.ts'
import {isTerminal} from '../../../src/work/workflow/status.ts'
import {anyOps, EVENTS, IDS, inbox, listener, monitor, overseer, type Op, type Program} from './program.ts'
import type {WorkWorld} from './world.ts'
import type {Fault} from './disk.ts'
import {EDITS} from './edits.ts'
import {SERIES} from './series-steps.ts'
import {SLEEPS} from './sleeps.ts'
import type {WalkStep} from '../walks.ts'
import {APPS, NotNow, oneOf, type Do} from './step.ts'

const PASSES = [1, 500, 1000, 2000, 10_000, 60_000] as const

const tell = (world: WorkWorld, random: Random, kind: 'suspend' | 'resume' | 'terminate' | 'event'): void => {
  const open = world.instances().filter(({status}) => !isTerminal(status))
  const {app, id} =
    open.length === 0 || random.oneIn(4) ? {app: random.pick(APPS), id: random.pick(IDS)} : random.pick(open)
  if (kind === 'event') return world.raise(app, id, random.pick(EVENTS))
  if (kind !== 'terminate') return world.suspend(app, id, kind === 'suspend')
  const ended = {executionTerminated: {input: undefined, recurse: random.oneIn(2)}}
  world.ask(async () => world.run.workflows.tell(app, id, kind, ended))
}

const start = (world: WorkWorld, random: Random, ops: (random: Random) => readonly Op[]): void => {
  const app = random.pick(APPS)
  const run = world.run
  const program: Program = {serial: String(world.serial), round: 0, rounds: random.pick([1, 1, 2, 3]), ops: ops(random)}
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
      world.run.connect(app, world.tokens.get(app) !== false)
    }
  ],
  leave: [
    5,
    (world, random) => {
      const {workers} = world.run
      oneOf(random, workers).leave()
    }
  ],
  reload: [
    3,
    (world, random) => {
      const run = world.run
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
      const {workflows} = world.run
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
      world.ask(async () => world.run.workflows.rerun(app, request))
    }
  ],
  'skip timer': [
    2,
    (world, random) => {
      const app = random.pick(APPS)
      const {workflows} = world.run
      const found = workflows.find(app, random.pick(IDS))
      if (found === undefined) throw new NotNow()
      world.ask(async () => workflows.skipTimer(found, undefined))
    }
  ],
  skip: [2, (world, random) => world.run.skip(random.pick([1000, 30_000, 3_600_000]), random.oneIn(2), world)],
  pass: [20, async (world, random) => world.pass(random.pick(PASSES))],
  jump: [1, (world, random) => world.run.clock.jump(random.pick([-5000, 5000, 3_600_000]))],
  retention: [1, (world, random) => void (world.run.retention = random.pick([undefined, 0, 5000]))],
  'body size': [2, (world, random) => void (world.run.maxBytes = random.pick([Infinity, 400, 1000]))],
  'fail writes': [
    4,
    (world, random) => {
      const {disk} = world.run
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
      const {disk} = world.run
      disk.crashAt = disk.writes + 1 + random.below(12)
      disk.isAfter = random.oneIn(2)
    }
  ],
  restart: [1, world => world.restart(world.run)],
  ...SERIES,
  ...EDITS,
  'another SDK': [
    2,
    (world, random) => {
      const app = random.pick(APPS)
      if (world.run.workers.some(each => each.app === app)) throw new NotNow()
      world.tokens.set(app, world.tokens.get(app) === false)
    }
  ]
}

const WEIGHTED = Object.entries(KINDS).flatMap(([kind, [weight]]) => Array.from({length: weight}, () => kind))

/** The walk of a seed. */
export function workWalk(seed: number, steps: number): readonly WalkStep[] {
  const random = new Random('work', seed)
  return Array.from({length: steps}, () => ({
    kind: random.pick(WEIGHTED),
    a: random.below(1000),
    b: random.below(1000),
    isHurried: random.oneIn(3)
  }))
}
