import t from 'tap'
import {callersFirst} from '../../../../src/run/edits/close-for-edit.ts'

const order = (ids: string, calls: readonly string[]): string =>
  callersFirst(
    Array.from(ids, id => ({id})),
    (caller, callee) => calls.includes(`${caller}${callee}`)
  )
    .map(({id}) => id)
    .join('')

t.test('callers come before those that they have called, at any distance; the order of the others stays', async t => {
  t.equal(order('abc', []), 'abc')
  t.equal(order('abc', ['ba', 'cb']), 'cba')
  t.equal(order('abc', ['ca']), 'cab')
  t.equal(order('ab', ['aa', 'ba']), 'ba', 'one that calls itself')
})

t.test('apps that call each other come once each', async t => {
  t.equal(order('abc', ['ab', 'ba', 'cb']).length, 3)
  t.match(order('abc', ['ab', 'ba', 'cb']), /c.*b/)
})
