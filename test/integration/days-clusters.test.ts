import t from 'tap'
import {days} from '../rig/days.ts'

t.test('run -k and stop -k harm nobody, and finish what was interrupted: walks of eight seeds', async t => {
  const {code, printed} = await days('--clusters', '--seed', '80', '--seeds', '8', '--steps', '40')
  t.equal(code, 0, printed)
})
