import type {WalkRun} from './run.ts'
import type {Plan, Planned} from './series.ts'
import {APPS, oneOf, type Do} from './step.ts'
import type {WorkWorld} from './world.ts'

/** Of a firing without a policy. */
const DEFAULT_RETRIES = 3

/** The latest plan of each job and reminder that was acknowledged. */
const plansOf = new WeakMap<WalkRun, Map<string, Planned>>()

function beUnsure(plans: readonly Planned[]): void {
  for (const each of plans) if (each.state !== 'over') each.state = 'unsure'
}

function setPlan(
  world: WorkWorld,
  run: WalkRun,
  name: string,
  how: Plan,
  set: (serial: number) => Promise<unknown>
): void {
  let plans = plansOf.get(run)
  if (plans === undefined) plansOf.set(run, (plans = new Map<string, Planned>()))
  const known = plans
  const {serial} = world
  const plan = run.series.plan(serial, name, how)
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

/** What happens to jobs, reminders and actors. */
export const SERIES: Readonly<Record<string, readonly [weight: number, act: Do]>> = {
  job: [
    8,
    (world, random) => {
      const app = random.pick(APPS)
      const run = world.run
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
  'job with an end': [
    3,
    (world, random) => {
      const app = random.pick(APPS)
      const run = world.run
      const name = random.pick(['j1', 'j2'])
      const times = {schedule: random.pick(['@every 1s', '@every 7s']), ttl: random.pick(['1s', '3s', '30s', '1h'])}
      const how = {repeats: Infinity, retries: DEFAULT_RETRIES, hasEnd: true}
      setPlan(world, run, `job ${app} ${name}`, how, async serial =>
        run.jobs.schedule(app, {name, ...times, data: {typeUrl: '', value: Buffer.from(String(serial))}}, true)
      )
    }
  ],
  'reminder with an end': [
    3,
    (world, random) => {
      const run = world.run
      const [id, name] = [random.pick(['1', '2']), random.pick(['r1', 'r2'])]
      const times = {dueTime: random.pick(['0s', '1s']), period: random.pick(['PT1S', 'PT7S'])}
      const ttl = random.pick(['2s', '10s', '1h'])
      const how = {repeats: Infinity, retries: DEFAULT_RETRIES, hasEnd: true}
      setPlan(world, run, `reminder ${id} ${name}`, how, async serial =>
        run.reminders.set(
          'a',
          {type: 'T', id, name},
          {...times, ttl, callback: '', data: String(serial), overwrites: true}
        )
      )
    }
  ],
  'job deleted': [
    2,
    (world, random) => {
      const [app, name] = [random.pick(APPS), random.pick(['j1', 'j2'])]
      const run = world.run
      endPlan(world, run, `job ${app} ${name}`, async () => run.jobs.delete(app, name))
    }
  ],
  'job verb': [
    3,
    (world, random) => {
      const kept = world.runs.flatMap(({series}) => [...series.planned.values()]).filter(({state}) => state === 'kept')
      const known = kept.map(each => each.name.split(' ')).filter(([kind]) => kind === 'job')
      const [, app = random.pick(APPS), name = 'j1'] = known.length === 0 ? [] : random.pick(known)
      const run = world.run
      const verb = random.pick(['pause', 'resume', 'resume', 'run'] as const)
      const full = `job ${app} ${name}`
      if (verb !== 'pause') run.series.allowOneMore(full)
      if (verb === 'run') run.series.named(full).forEach(each => each.runs++)
      if (verb === 'resume') run.series.pause(full, false)
      world.ask(
        async () => run.jobs[verb](app, name),
        () => verb !== 'run' && run.series.pause(full, verb === 'pause')
      )
    }
  ],
  ready: [4, (world, random) => world.run.ready(random.pick(APPS))],
  unready: [2, (world, random) => world.run.unready(random.pick(APPS))],
  'unready late': [2, (world, random) => world.run.unready(random.pick(APPS), true)],
  reminder: [
    8,
    (world, random) => {
      const run = world.run
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
      const run = world.run
      const [id, name] = [random.pick(['1', '2']), random.pick(['r1', 'r2'])]
      endPlan(world, run, `reminder ${id} ${name}`, async () => run.reminders.delete({type: 'T', id, name}))
    }
  ],
  'actor called': [
    3,
    (world, random) => {
      const {actors} = world.run
      const work = {
        kind: 'method',
        protocol: 'HTTP/1.1',
        method: 'm',
        query: '',
        lines: '',
        body: Buffer.alloc(0)
      } as const
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
      const {series} = world.run
      const one = oneOf(random, [...series.open])
      series.open.delete(one)
      one.answer(random.oneIn(4) ? 'failed' : 'done')
    }
  ],
  host: [5, (world, random) => world.run.host(random.pick(['h1', 'h2']))],
  unhost: [3, (world, random) => world.run.unhost(random.pick(['h1', 'h2']), random.oneIn(2))],
  'unhost late': [2, (world, random) => world.run.unhost(random.pick(['h1', 'h2']), random.oneIn(2), true)],
  'hosts retire': [
    2,
    (world, random) => {
      const {actors, clock} = world.run
      const stop = new AbortController()
      if (random.oneIn(2)) clock.clock().after(500, () => stop.abort())
      const instance = random.pick(['h1', 'h2'])
      world.ask(async () => {
        // its process stays
        if (!(await actors.retire(instance, stop.signal))) actors.resume(instance)
      })
    }
  ]
}
