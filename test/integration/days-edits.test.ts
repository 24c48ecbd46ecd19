import t from 'tap'
import {days} from '../rig/days.ts'

// `test/long/days-kinds.test.ts` goes on with the next ones
t.test('what runs after edits of any kind is what a fresh run would run: a walk', async t => {
  const {code, printed} = await days('--edits', '--seed', '1', '--seeds', '1', '--steps', '20')
  t.equal(code, 0, printed)
})
