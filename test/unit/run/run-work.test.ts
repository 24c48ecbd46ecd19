import {readdirSync} from 'node:fs'
import t from 'tap'
import {RunWork} from '../../../src/run/run-work.ts'
import type {RunWorkOptions} from '../../../src/run/open-work.ts'

t.test('nothing is opened for who asks after the end: nobody would close it', async t => {
  const folder = t.testdir()
  const warned: string[] = []
  const work = new RunWork({
    plan: {file: '', name: '', apps: [{id: 'a', folder}]},
    env: {XDG_STATE_HOME: folder},
    runtimes: () => [],
    reporter: {warn: (_: string, text: string) => warned.push(text), tell: () => undefined}
  } as unknown as RunWorkOptions)
  await work.close()
  const refused = {message: 'the run is stopping'}
  await t.rejects(work.workflows(), refused)
  await t.rejects(work.reminders(), refused)
  await t.rejects(work.outbox(), refused)
  await t.rejects(work.known(), refused)
  await work.keepTriggers('a', {topics: [], actorTypes: [], bindings: []} as never)
  t.same(warned, [], 'the next run asks the app again')
  t.same(readdirSync(folder), [])
})
