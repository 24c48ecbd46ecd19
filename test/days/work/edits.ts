import type {Random} from '../../fuzz/random.ts'
import {IDS} from './program.ts'
import {APPS, NotNow, oneOf, type Do} from './step.ts'
import type {Held} from './workers.ts'
import {turnsOf} from './replays.ts'
import {Waiting, WAITS} from './waiting.ts'
import type {WorkWorld} from './world.ts'

const ofKind = (world: WorkWorld, random: Random, kind: Held['kind']): Held =>
  oneOf(
    random,
    world.inHand().filter(each => each.kind === kind)
  )

/** Edits of a template, workers that are slow or answer badly, and callers that wait. */
export const EDITS: Readonly<Record<string, readonly [weight: number, act: Do]>> = {
  'app removed': [
    2,
    (world, random) => {
      const app = random.pick(APPS)
      const run = world.run
      if (run.absent.has(app) || run.isBusy(app)) throw new NotNow()
      run.remove(app)
    }
  ],
  'app added': [
    3,
    (world, random) => {
      const app = oneOf(
        random,
        world.runs.flatMap(({absent}) => [...absent])
      )
      world.run.add(app, random.oneIn(3))
    }
  ],
  limits: [
    2,
    (world, random) => {
      const run = world.run
      run.limits = {workflows: random.pick([Infinity, 1, 2]), activities: random.pick([Infinity, 1, 2])}
      run.workflows.mayTakeMore()
    }
  ],
  'connect a slow one': [
    3,
    (world, random) => {
      const app = random.pick(APPS)
      world.run.connect(app, world.tokens.get(app) !== false, random.pick([1, 2]))
    }
  ],
  'activity failed': [3, (world, random) => world.answer(ofKind(world, random, 'activity'), undefined, 'failed')],
  'answer badly': [
    2,
    (world, random) => world.answer(ofKind(world, random, random.pick(['turn', 'activity'])), undefined, 'broken')
  ],
  await: [
    6,
    (world, random) => {
      const all = world.instances()
      const {app, id} =
        all.length === 0 || random.oneIn(4) ? {app: random.pick(APPS), id: random.pick(IDS)} : random.pick(all)
      return void new Waiting(world, app, id, random.pick(WAITS))
    }
  ],
  replay: [
    2,
    (world, random) => {
      const instance = oneOf(random, world.instances())
      const run = world.run
      const turn = oneOf(random, turnsOf(run, instance))
      const caller = new AbortController()
      const began = run.disk.run
      const check = (): void => {
        if (run.disk.run === began) world.watch.fault(`a replay of ${instance.app} ${instance.id} gets no answer`)
      }
      const waiting = {leave: () => caller.abort(), check: (isEnd: boolean) => void (isEnd && check())}
      world.waiting.add(waiting)
      const end = (): void => void world.waiting.delete(waiting)
      world.ask(
        async () => {
          const {difference} = await run.workflows.replay(instance, turn, caller.signal)
          if (difference !== '') world.watch.fault(`${instance.app} ${instance.id} does not replay: ${difference}`)
        },
        end,
        end
      )
    }
  ],
  'caller leaves': [1, (world, random) => oneOf(random, [...world.waiting]).leave()],
  'long jump': [1, (world, random) => world.run.clock.jump(random.pick([-30_000, 7_200_000]))]
}
