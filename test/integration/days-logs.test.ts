import t from 'tap'
import {days} from '../rig/days.ts'

t.test('each line of an app is kept and read once, whatever happens to its log: walks of 60 seeds', async t => {
  const {code, printed} = await days('--logs', '--seed', '1', '--seeds', '60', '--steps', '80')
  t.equal(code, 0, printed)
})
