import t from 'tap'
import type {CallRecord} from '../../../../../src/model/call.ts'
import {recordModelCall} from '../../../../../src/dapr/sidecar/operations/model-call.ts'
import type {Conversations} from '../../../../../src/dapr/sidecar/blocks/conversations.ts'

const fails = async (): Promise<never> => Promise.reject(new TypeError('of a provider'))

t.test('a question that fails in a way nobody expects is over, too', async t => {
  const ended: CallRecord[] = []
  const observer = {
    started: () => undefined,
    admitted: () => undefined,
    sent: () => undefined,
    text: () => undefined,
    responded: () => undefined,
    ended: (record: CallRecord) => void ended.push(record)
  }
  const conversations = {appId: 'shop', observer} as unknown as Conversations
  const asked = {name: 'llm', version: 'v1.0-alpha2', kept: '', request: [{}, {}]} as const
  await t.rejects(recordModelCall(conversations, asked, {}, fails), {message: 'of a provider'})
  t.match(ended, [{status: 500, failure: 'of a provider'}])
})
