import t from 'tap'
import type {Handled} from '../../../../../src/dapr/components/pubsub.ts'
import {open} from '../../../../../src/dapr/components/bindings/cron.ts'
import {openComponent} from '../../../../rig/open-component.ts'

t.test('an app that answers no time of a cron has a hundred, and gets the next once it has answered', async t => {
  const {input} = await openComponent(t, open, {schedule: '@every 2ms'})
  const answers: (() => void)[] = []
  const times = new Set<number>()
  const mute = async (): Promise<Handled> => new Promise(resolve => answers.push(() => resolve('done')))
  const counting = async (): Promise<Handled> => (times.add(times.size), 'done')
  const shared = {ready: async () => undefined, log: () => undefined}
  const readers = [await input?.read({...shared, handle: mute}), await input?.read({...shared, handle: counting})]
  while (times.size < 150) await new Promise(setImmediate)
  t.equal(answers.length, 100)
  answers[0]?.()
  while (answers.length === 100) await new Promise(setImmediate)
  const stopped = Promise.all(readers.map(async reader => reader?.stop()))
  for (const answer of answers) answer()
  await stopped
})
