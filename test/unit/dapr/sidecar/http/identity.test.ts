import t from 'tap'
import {identityOf, callerHeaders} from '../../../../../src/dapr/sidecar/http/identity.ts'

t.test('a sidecar takes its namespace and address from the environment if they are set', async t => {
  t.match(identityOf({NAMESPACE: 'shop', DAPR_HOST_IP: '10.9.9.9'}), {namespace: 'shop', address: '10.9.9.9'})
  t.match(identityOf({NAMESPACE: '', DAPR_HOST_IP: ''}), {namespace: 'default', address: /./, hostName: /./})
})

t.test('the own app is told less', async t => {
  const identity = {namespace: 'ns', address: 'fd00::1', hostName: 'box'}
  const ids = 'Dapr-Caller-App-Id: a\r\nDapr-Caller-Namespace: ns\r\nDapr-Callee-App-Id: b\r\n'
  t.equal(callerHeaders(identity, 'a', {callee: 'b', isLocal: true}), ids)
  t.equal(
    callerHeaders(identity, 'a', {callee: 'b', isLocal: false}),
    `${ids}X-Forwarded-For: fd00::1\r\nX-Forwarded-Host: box\r\nForwarded: for="[fd00::1]";by="[fd00::1]";host=box\r\n`
  )
})
