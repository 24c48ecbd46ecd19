import t from 'tap'
import {API} from '../../../../src/model/dapr/api/api.ts'
import type {BlockApi} from '../../../../src/model/dapr/api/block-api.ts'
import {errorCategory} from '../../../../src/observe/telemetry/metrics/call-metrics.ts'
import {operationAt, grpcMethod, isGrpcRule} from '../../../../src/model/dapr/api/routes.ts'
import {operationOf} from '../../../../src/dapr/sidecar/operations/operations.ts'
import {DAPR_METHODS, messageTable} from '../../../rig/dapr-methods.ts'

t.test('each method of Dapr’s service is in the table, by its name and version', async t => {
  t.ok(DAPR_METHODS.length > 70)
  for (const {name} of DAPR_METHODS) t.ok(grpcMethod(name), name)
  const known = new Set(DAPR_METHODS.map(({name}) => name))
  for (const api of Object.values(API) as BlockApi[])
    for (const [name, {grpc = ''}] of Object.entries(api.operations))
      for (const rule of grpc.split(' ').filter(each => each !== '')) {
        t.ok(isGrpcRule(rule), rule)
        const version = rule.slice(2, rule.indexOf('/'))
        const suffix = version.charAt(0).toUpperCase() + version.slice(1)
        const method = name.endsWith(suffix) ? name : name + suffix
        t.ok(known.has(method), method)
      }
})

t.test('what is served takes and gives the messages of Dapr’s service', async t => {
  for (const {name, request, reply} of DAPR_METHODS) {
    const {operation} = grpcMethod(name) ?? {}
    if (operation === undefined || operation.isStream) continue
    if (['runtime', 'invocation'].includes(operation.block)) continue
    const served = operationOf(operation.name, 'grpc')
    t.equal(served.request, await messageTable(request), `${name}: ${request}`)
    // all messages without fields are one on the wire
    t.strictSame(served.reply, await messageTable(reply), `${name}: ${reply}`)
  }
})

t.test('operations are found by their routes, with what stands for parameters', async t => {
  const found = operationAt('POST', '/v1.0-alpha1/publish/bulk/p/a/b')
  t.match(found, {operation: {name: 'BulkPublishEvent', block: 'pubsub'}, params: [['p'], ['a', 'b']]})
  t.match(operationAt('POST', '/v1.0-alpha1/lock/store'), {operation: {log: 'TryLock'}, params: [['store']]})
  t.match(operationAt('POST', '/v1.0-alpha1/state/s/query'), {operation: {log: 'QueryStateAlpha1'}})
  t.equal(operationAt('POST', '/v1.0/lock/store'), undefined)
})

t.test('codes of errors count for their block', async t => {
  t.equal(errorCategory('ERR_LOCK_STORE_NOT_FOUND'), 'lock')
  t.equal(errorCategory('ERR_STATE_STORE_NOT_FOUND'), 'state')
  t.equal(errorCategory('ERR_NOT_SUPPORTED_STATE_OPERATION'), 'state')
  t.equal(errorCategory('DAPR_STATE_NOT_FOUND'), 'state')
  t.equal(errorCategory('ERR_ACTOR_STATE_GET'), 'actor')
  t.equal(errorCategory('ERR_ACTOR_STATE_TRANSACTION_SAVE'), 'actor')
  t.equal(errorCategory('ERR_SECRET_GET'), 'secret')
  t.equal(errorCategory('ERR_PERMISSION_DENIED'), 'secret')
  t.equal(errorCategory('ERR_CRYPTO_PROVIDER_NOT_FOUND'), 'crypto')
  t.equal(errorCategory('ERR_DIRECT_INVOKE'), 'service-invocation')
  t.equal(errorCategory('ERR_MALFORMED_REQUEST'), 'common')
  t.equal(errorCategory('ERR_RAISE_EVENT_WORKFLOW'), 'workflow')
  t.equal(errorCategory('ERR_INSTANCE_ID_TOO_LONG'), 'workflow')
})
