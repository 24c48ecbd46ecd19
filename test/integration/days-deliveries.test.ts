import t from 'tap'
import {days} from '../rig/days.ts'

// `test/long/days-kinds.test.ts` goes on with the next ones
t.test('no event is lost or comes twice, whatever comes in whichever order: walks of 20 seeds', async t => {
  const {code, printed} = await days('--deliveries', '--seed', '1', '--seeds', '20', '--steps', '40')
  t.equal(code, 0, printed)
})
