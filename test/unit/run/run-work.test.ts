import {readdirSync} from 'node:fs'
import t from 'tap'
import {RunWork} from '../../../src/run/run-work.ts'
import type {RunWorkOptions} from '../../../src/run/open-work.ts'
import {withFewDescriptors} from '../../rig/few-descriptors.ts'

t.test('nothing is opened for who asks after the end: nobody would close it', async t => {
  const folder = t.testdir()
  const warned: string[] = []
  const work = new RunWork({
    plan: {file: '', name: '', apps: [{id: 'a', folder}]},
    env: {XDG_STATE_HOME: folder},
    runtimes: () => [],
    knowLeftOut: async () => undefined,
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

t.test('what an earlier run has left is opened once there is a free descriptor', async t => {
  const folder = t.testdir()
  const module = import.meta.resolve('../../../src/run/run-work.ts')
  await t.resolves(
    withFewDescriptors(`
      const {RunWork} = await import('${module}')
      const work = () => new RunWork({
        plan: {file: '', name: '', apps: [{id: 'a', folder: '${folder}'}]},
        env: {XDG_STATE_HOME: '${folder}'},
        runtimes: () => [],
        knowLeftOut: async () => undefined,
        reporter: {warn: (_, text) => { throw new Error(text) }, tell: () => undefined}
      })
      const earlier = work()
      await earlier.workflows()
      await earlier.close()
      const later = work()
      fill()
      const begun = later.begin()
      free()
      await begun
      equal(later.openWorkflows() !== undefined, true)
      await later.close()
      const last = work()
      fill()
      const ended = last.begin()
      await last.close()
      free()
      await ended
    `)
  )
})
