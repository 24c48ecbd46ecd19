import t from 'tap'
import {CALLER_FIELD, callerLine, Guests} from '../../../src/sidecar/guest.ts'
import type {Door} from '../../../src/sidecar/invocation.ts'

const door = {appId: 'stock', maxBodyBytes: 4, appToken: 't'} as unknown as Door
const identity = {namespace: 'default', address: '10.0.0.1', hostName: 'here'}
const introduced = (key: string, caller: string): string =>
  callerLine(key, caller, 'ns').slice(CALLER_FIELD.length + 2, -2)

t.test('who knows the key speaks for the caller that it names; where it comes from was said before', async t => {
  const guests = new Guests({door, identity, key: 'secret'})
  const guest = guests.doorFor(introduced('secret', 'my shop'))
  t.equal(guest?.appId, 'my shop')
  t.equal(guest?.maxBodyBytes, 4)
  t.equal(
    guest?.introduce('stock', false),
    'Dapr-Caller-App-Id: my shop\r\nDapr-Caller-Namespace: ns\r\nDapr-Callee-App-Id: stock\r\n'
  )
  t.equal(guests.doorFor(introduced('secret', 'my shop')), guest, 'it is made once')
})

t.test('nobody else speaks for others', async t => {
  for (const key of ['secret', ''])
    for (const said of ['', 'shop', '/ns/shop', introduced('wrong', 'shop'), introduced('secre', 'shop'), `${key}/ns/`])
      t.equal(new Guests({door, identity, key}).doorFor(said), undefined, said)
})
