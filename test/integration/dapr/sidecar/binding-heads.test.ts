import t from 'tap'
import {BlockError} from '../../../../src/dapr/sidecar/blocks/block-error.ts'
import type {Blocks} from '../../../../src/dapr/sidecar/blocks/blocks.ts'
import {InvokeBindingRequest, InvokeBindingResponse} from '../../../../src/model/dapr/messages/binding.generated.ts'
import {decode, encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {echoClient, openTestGrpcPort} from './grpc/rig.ts'
import {openTestSidecar} from './rig.ts'

t.test('the head of an answer has what a binding says of it, but for what a client cannot take there', async t => {
  const insert = `INSERT INTO pears VALUES ${"('pear'),".repeat(8000)}('pear')`
  const metadata = {sql: insert, short: '\n  SELECT 1\n', name: 'Bärbel', umlauts: 'ü'.repeat(4000), operation: 'exec'}
  const waiting = Promise.withResolvers<void>()
  const invoke = async (name: string): Promise<object> => {
    if (name === 'slow') await waiting.promise
    return {data: Buffer.from(name), metadata: name === 'slow' ? {} : metadata}
  }
  const blocks = {bindings: {invoke}} as unknown as Blocks
  const {port} = await openTestGrpcPort(t, {blocks: async () => Promise.resolve(blocks)})
  const client = echoClient(t, port)
  const slow = client.dapr('InvokeBinding', encode(InvokeBindingRequest, {name: 'slow', operation: 'x'}))
  const {code, head, answer} = await client.dapr('InvokeBinding', encode(InvokeBindingRequest, {name: 'sql'}))
  t.equal(code, 0)
  t.match(head.getMap(), {'metadata.operation': 'exec', 'metadata.short': 'SELECT 1'})
  t.notHas(head.getMap(), {'metadata.sql': '', 'metadata.name': ''})
  t.strictSame(decode(InvokeBindingResponse, Buffer.from(answer, 'latin1')).metadata, metadata)
  waiting.resolve()
  t.match(await slow, {code: 0}, 'other calls of its connection go on')
  const {port: httpPort} = await openTestSidecar(t, {blocks: async () => Promise.resolve(blocks)})
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1.0/bindings/sql`, {method: 'POST', body: '{}'})
  t.equal(await response.text(), 'sql')
  t.match(Object.fromEntries(response.headers), {'metadata.operation': 'exec', 'metadata.short': 'SELECT 1'})
  for (const name of ['sql', 'umlauts']) t.notOk(response.headers.has(`metadata.${name}`), name)
})

/** Fails with details of as many bytes as the name says. */
const refuse = async (name: string): Promise<never> => {
  const details = {reason: 'WHY', metadata: {sent: 'x'.repeat(Number(name))}}
  return Promise.reject(new BlockError([404, 'invalidArgument', 'ERR'], 'is not found', details))
}

t.test('an error whose details are too large for a head has its text alone', async t => {
  const blocks = {bindings: {invoke: refuse}} as unknown as Blocks
  const {port} = await openTestGrpcPort(t, {blocks: async () => Promise.resolve(blocks)})
  const client = echoClient(t, port)
  for (const [size, count] of [
    ['100', 1],
    ['70000', 0]
  ] as const) {
    const outcome = await client.dapr('InvokeBinding', encode(InvokeBindingRequest, {name: size}))
    t.match(outcome, {code: 3, message: 'is not found'})
    t.equal(outcome.trailers.get('grpc-status-details-bin').length, count, size)
  }
})
