import t from 'tap'
import {callHub} from '../../../../../src/work/workflow/hub/hub.ts'
import {openHouse} from '../../../../rig/workflow-house.ts'

t.test('a method that every object has is none of the service', async t => {
  const {workflows} = await openHouse(t)
  const caller = {app: 'shop', onGone: () => undefined, trace: ''}
  for (const name of ['constructor', 'toString', '__proto__'])
    t.match(await callHub(workflows, name, new Uint8Array(), caller), {code: 12, message: `unknown method ${name} for`})
})
