import t from 'tap'
import {days} from '../rig/days.ts'

t.test('stores give what was saved, and locks have one holder, whatever is edited: walks of six seeds', async t => {
  const {code, printed} = await days('--stores', '--seed', '1', '--seeds', '6', '--steps', '60')
  t.equal(code, 0, printed)
})
