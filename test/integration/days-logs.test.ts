import t from 'tap'
import {days} from '../rig/days.ts'

// `test/long/days-kinds.test.ts` goes on with the next ones
t.test('each line of an app is kept and read once, whatever happens to its log: walks of six seeds', async t => {
  const {code, printed} = await days('--logs', '--seed', '1', '--seeds', '6', '--steps', '80')
  t.equal(code, 0, printed)
})
