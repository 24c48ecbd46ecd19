import t from 'tap'
import {pickRun} from '../../../src/cli/pick-run.ts'
import type {FoundRun} from '../../../src/control/client.ts'

const run = (pid: number, templateFile: string, ...ids: readonly string[]): FoundRun => {
  const apps = ids.map(appId => ({appId, instance: 1}))
  return {listing: {pid, templateFile, apps}} as unknown as FoundRun
}

t.test("an id means this folder's run, else the only one; several are named", async t => {
  const here = run(1, '/here/dapr.yaml', 'a', 'b')
  const there = run(2, '/there/dapr.yaml', 'a', 'c')
  const single = run(3, '', 'c')
  const runs = [there, single, here]
  const pick = (id: string, template = '/here/dapr.yaml'): number | undefined =>
    pickRun(id, runs, template)?.listing.pid
  t.equal(pick('a'), 1)
  t.equal(pick('a', '/there/dapr.yaml'), 2)
  t.equal(pick('b', '/nowhere/dapr.yaml'), 1)
  t.equal(pick('zzz'), undefined)
  t.throws(() => pick('c'), {message: 'app id c is in several runs: /there/dapr.yaml (pid 2), a single run (pid 3)'})
  t.throws(() => pickRun('b', [here, run(4, '/here/dapr.yaml', 'b')], '/here/dapr.yaml'), {message: /pid 1.*pid 4/})
})
