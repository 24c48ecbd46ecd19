import t from 'tap'
import {Debouncer} from '../../../../src/files/watcher/debouncer.ts'
import {TestClock} from '../../../rig/clock.ts'

const open = (): {rest: Debouncer<number>; clock: TestClock; told: string[]} => {
  const clock = new TestClock()
  const told: string[] = []
  return {clock, told, rest: new Debouncer<number>(gathered => told.push([...gathered].join(' ')), clock)}
}

t.test('one file is told 20 ms after its last change', async t => {
  const {rest, clock, told} = open()
  rest.add('a', 1)
  clock.pass(19)
  rest.add('a', 2)
  clock.pass(19)
  t.same(told, [])
  clock.pass(1)
  t.same(told, ['a,1'])
})

t.test('what comes close together is told once, 50 ms after the last of it', async t => {
  const {rest, clock, told} = open()
  rest.add('a', 1)
  clock.pass(19)
  rest.add('b', 2)
  rest.add('a', 3)
  clock.pass(49)
  t.same(told, [])
  clock.pass(1)
  t.same(told, ['a,1 b,2'], 'the first thing of each is kept')
  clock.pass(5000)
  t.equal(told.length, 1)
})

t.test('more than anybody saves at once is told once, though it comes in groups', async t => {
  const {rest, clock, told} = open()
  const group = (name: string, files: number): void => {
    for (let file = 0; file < files; file++) rest.add(`${name}${file}`, file)
  }
  group('a', 10)
  clock.pass(50)
  t.equal(told.length, 1, 'ten are saved together by an editor')
  group('b', 11)
  clock.pass(249)
  group('c', 1)
  clock.pass(249)
  t.equal(told.length, 1)
  clock.pass(1)
  t.equal(told.length, 2)
  t.equal(told[1]?.split(' ').length, 12)
})

t.test('what never rests is told after 2 s, and again', async t => {
  const {rest, clock, told} = open()
  for (let ms = 0; ms < 4500; ms += 10) {
    rest.add('log', ms)
    clock.pass(10)
  }
  t.equal(told.length, 2)
})

t.test('nothing is told after the end', async t => {
  const {rest, clock, told} = open()
  rest.add('a', 1)
  rest.close()
  clock.pass(5000)
  t.same(told, [])
})
