import t from 'tap'
import {emitTo} from '../../../src/run/run-reporter.ts'

t.test('what a listener throws reaches neither the others nor who emits; it is reported to them', async t => {
  const heard: string[] = []
  const emit = emitTo<string>(
    [
      event => {
        heard.push(`first ${event}`)
        if (event === 'stop') throw new Error('open EEXIST')
      },
      event => void heard.push(`second ${event}`)
    ],
    why => why
  )
  emit('stop')
  t.same(heard, [
    'first stop',
    'second stop',
    'first an event could not be shown: open EEXIST',
    'second an event could not be shown: open EEXIST'
  ])
})

t.test('a listener that throws at every event, the report too, ends nothing', async t => {
  let count = 0
  const emit = emitTo<string>(
    [
      () => {
        count++
        throw new Error('gone')
      }
    ],
    why => why
  )
  emit('a')
  emit('b')
  t.equal(count, 4, 'each event, and one report of each')
})
