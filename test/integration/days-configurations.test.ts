import t from 'tap'
import {days} from '../rig/days.ts'

t.test('each subscription to configuration listens once, whatever comes: walks of 300 seeds', async t => {
  const {code, printed} = await days('--configurations', '--seed', '1', '--seeds', '300', '--steps', '40')
  t.equal(code, 0, printed)
})
