import t from 'tap'
import {Keys} from '../../../../src/clients/cli/live/key-input.ts'
import {TestClock} from '../../../rig/clock.ts'

function open(): {keys: Keys; clock: TestClock; pressed: string[]} {
  const clock = new TestClock()
  const pressed: string[] = []
  return {clock, pressed, keys: new Keys(clock, key => pressed.push(key))}
}

t.test('a key that is pressed alone counts, a moment later', async t => {
  const {keys, clock, pressed} = open()
  keys.push('h')
  t.same(pressed, [])
  clock.pass(30)
  t.same(pressed, ['h'])
  keys.push('q')
  clock.pass(30)
  t.same(pressed, ['h', 'q'])
})

t.test('what is pasted triggers nothing: in one piece, byte by byte, and with a byte left over', async t => {
  const {keys, clock, pressed} = open()
  keys.push('rm -rf\nq')
  keys.push('q')
  clock.pass(29)
  keys.push('q')
  clock.pass(1000)
  for (const key of 'quit\n') {
    keys.push(key)
    clock.pass(5)
  }
  clock.pass(1000)
  keys.push('\x1b[A')
  clock.pass(1000)
  t.same(pressed, [])
  keys.push('h')
  clock.pass(30)
  t.same(pressed, ['h'])
})

t.test('at the end nothing is told any more', async t => {
  const {keys, clock, pressed} = open()
  keys.push('q')
  keys.end()
  clock.pass(1000)
  t.same(pressed, [])
})
