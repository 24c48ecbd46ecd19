import t from 'tap'
import {days} from '../rig/days.ts'

// `test/long/days-kinds.test.ts` goes on with the next ones
t.test('run -k and stop -k harm nobody, and finish what was interrupted: a walk', async t => {
  const {code, printed} = await days('--clusters', '--seed', '80', '--seeds', '1', '--steps', '40')
  t.equal(code, 0, printed)
})
