import t from 'tap'
import {callerValue} from '../../../../../src/proxy/gateway/caller-header.ts'
import {DelegatedCallers} from '../../../../../src/dapr/sidecar/http/identity.ts'
import type {SidecarContext} from '../../../../../src/dapr/sidecar/http/invocation.ts'
import {aCall} from '../../../../rig/made-call.ts'

const callers: unknown[] = []
const sidecar = {
  appId: 'stock',
  maxBodyBytes: 4,
  appToken: 't',
  admit: (_call: unknown, _isRefused: unknown, caller: unknown) => callers.push(caller)
} as unknown as SidecarContext
const identity = {namespace: 'default', address: '10.0.0.1', hostName: 'here'}
const delegation = (key: string, caller: string): string =>
  callerValue(key, {appId: caller, namespace: 'ns', trustDomain: 'our domain'})

t.test('who knows the key speaks for the caller that it names; where it comes from was said before', async t => {
  const delegatedCallers = new DelegatedCallers({sidecar, identity, key: 'secret'})
  const delegated = delegatedCallers.contextFor(delegation('secret', 'my shop'))
  t.equal(delegated?.appId, 'my shop')
  t.equal(delegated?.maxBodyBytes, 4)
  t.equal(
    delegated?.callerHeaders('stock', false),
    'Dapr-Caller-App-Id: my shop\r\nDapr-Caller-Namespace: ns\r\nDapr-Callee-App-Id: stock\r\n'
  )
  t.equal(delegatedCallers.contextFor(delegation('secret', 'my shop')), delegated, 'it is made once')
  delegated?.admit(aCall({caller: 'my shop'}))
  delegatedCallers.contextFor('secret/ns/old')?.admit(aCall({caller: 'old'}))
  t.same(
    callers,
    [
      {appId: 'my shop', namespace: 'ns', trustDomain: 'our domain'},
      {appId: 'old', namespace: 'ns', trustDomain: 'public'}
    ],
    'access control knows who calls; a run of an older version says no trust domain'
  )
})

t.test('nobody else speaks for others', async t => {
  for (const key of ['secret', ''])
    for (const said of ['', 'shop', '/ns/shop', delegation('wrong', 'shop'), delegation('secre', 'shop'), `${key}/ns/`])
      t.equal(new DelegatedCallers({sidecar, identity, key}).contextFor(said), undefined, said)
})
