import type {Random} from '../../fuzz/random.ts'
import type {WorkWorld} from './world.ts'

/** Apps that have a process once work of theirs needs one. */
export const SLEEPS: Readonly<
  Record<string, readonly [weight: number, act: (world: WorkWorld, random: Random) => unknown]>
> = {
  sleep: [
    5,
    (world, random) => {
      const idle = world.runs.flatMap(run => run.apps.filter(app => run.hasApp(app) && !run.isBusy(app)))
      if (idle.length === 0) return
      const app = random.pick(idle)
      world.run.sleep(app)
    }
  ],
  'restart asleep': [
    2,
    world => {
      const {run} = world
      for (const app of run.apps) if (run.hasApp(app)) run.asleep.add(app)
      world.restart(run)
    }
  ]
}
