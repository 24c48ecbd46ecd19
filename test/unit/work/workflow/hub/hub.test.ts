import t from 'tap'
import {callHub} from '../../../../../src/work/workflow/hub/hub.ts'
import {openHouse} from '../../../../rig/workflow-house.ts'

t.test('a method that there is not is refused, also where every object has one of its name', async t => {
  const {workflows} = await openHouse(t)
  const caller = {app: 'shop', trace: '', onGone: () => undefined}
  for (const name of ['Nothing', 'toString', 'constructor', 'hasOwnProperty', '__proto__', ''])
    t.strictSame(await callHub(workflows, name, new Uint8Array(0), caller), {
      code: 12,
      message: `unknown method ${name} for service TaskHubSidecarService`
    })
})
