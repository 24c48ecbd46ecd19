import t from 'tap'
import {days} from '../rig/days.ts'

// `test/long/days-kinds.test.ts` goes on with the next ones
t.test('stores give what was saved, and locks have one holder, whatever is edited: a walk', async t => {
  const {code, printed} = await days('--stores', '--seed', '1', '--seeds', '1', '--steps', '60')
  t.equal(code, 0, printed)
})
