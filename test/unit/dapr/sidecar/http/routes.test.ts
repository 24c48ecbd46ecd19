import t from 'tap'
import {findRoute} from '../../../../../src/dapr/sidecar/http/routes.ts'

const kindOf = (method: string, path: string): string | undefined => findRoute({method, path}, segment => segment)?.kind

t.test('routes of the sidecar itself', t => {
  t.equal(kindOf('GET', '/v1.0/healthz'), 'health')
  t.equal(kindOf('GET', '/v1.0/healthz/outbound'), 'outbound-health')
  t.equal(kindOf('GET', '/v1.0/metadata'), 'metadata')
  t.equal(kindOf('PUT', '/v1.0/metadata/k'), 'put-metadata')
  t.equal(kindOf('POST', '/v1.0/shutdown'), 'shutdown')
  t.equal(kindOf('PUT', '/v1.0/bindings/x'), 'block')
  t.end()
})

t.test('building blocks, in their versions', t => {
  const known = [
    'GET /v1.0/state/s/k', 'DELETE /v1.0/state/s/k', 'POST /v1.0/state/s', 'PUT /v1.0/state/s/bulk', 'POST /v1.0-alpha1/state/s/query',
    'POST /v1.0/publish/p/t', 'PUT /v1.0/publish/p/t/u', 'POST /v1.0-alpha1/publish/bulk/p/t', 'GET /v1.0/secrets/s/k',
    'GET /v1.0/configuration/c', 'GET /v1.0-alpha1/configuration/c/subscribe', 'GET /v1.0/configuration/c/1/unsubscribe',
    'POST /v1.0-alpha1/lock/l', 'POST /v1.0-alpha1/unlock/l', 'PUT /v1.0-alpha1/crypto/c/decrypt', 'POST /v1.0-alpha1/subtlecrypto/c/sign',
    'POST /v1.0-alpha2/conversation/c/converse', 'GET /v1.0/jobs/j', 'DELETE /v1.0-alpha1/jobs/j', 'GET /v1.0-beta1/workflows/w/1',
    'POST /v1.0/workflows/w/n/start', 'POST /v1.0/workflows/w/1/raiseEvent/e', 'PUT /v1.0/actors/T/1/state', 'GET /v1.0/actors/T/1/state/k',
    'DELETE /v1.0/actors/T/1/timers/t', 'GET /v1.0/actors/T/1/method/m'
  ] // prettier-ignore
  for (const each of known) {
    const [method = '', path = ''] = each.split(' ')
    t.equal(kindOf(method, path), 'block', each)
  }
  t.end()
})

t.test('the rest is for invocation', t => {
  const unknown = [
    'HEAD /v1.0/healthz', 'POST /v1.0/healthz', 'GET /v1.0/shutdown', 'OPTIONS /v1.0/metadata', 'PUT /v1.0/metadata', 'GET /v1.0/config',
    'GET /v1.0/invoke/b/method/x', 'POST /v1.0/publish/p', 'GET /v1.0/lock/l', 'GET /v1.0/state/s', 'GET /v1.1/healthz', 'GET /healthz',
    'POST /v1.0/state/s/query', 'GET /v1.0/metadata/k', 'GET /v1.0/state/s/k/x', 'GET /'
  ] // prettier-ignore
  for (const each of unknown) {
    const [method = '', path = ''] = each.split(' ')
    t.equal(kindOf(method, path), undefined, each)
  }
  t.end()
})
