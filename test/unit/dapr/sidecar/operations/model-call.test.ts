import t from 'tap'
import type {CallRecord} from '../../../../../src/model/call.ts'
import {ConversationRequestAlpha2 as REQUEST} from '../../../../../src/model/dapr/messages/ai.generated.ts'
import {messageOfJson} from '../../../../../src/dapr/sidecar/operations/proto-json.ts'
import {recordModelCall} from '../../../../../src/dapr/sidecar/operations/model-call.ts'
import {invalidQuestion, type Conversations} from '../../../../../src/dapr/sidecar/blocks/conversations.ts'

const fails = async (): Promise<never> => Promise.reject(new TypeError('of a provider'))

const newObserver = () => {
  const ended: CallRecord[] = []
  const texts: string[] = []
  const heads: string[] = []
  const observer = {
    started: () => undefined,
    admitted: () => undefined,
    sent: () => undefined,
    text: (_: object, __: string, text: string) => void texts.push(text),
    responded: (_: object, {text}: {readonly text: string}, body: string) => {
      heads.push(text)
      texts.push(body)
    },
    ended: (record: CallRecord) => void ended.push(record)
  }
  return {ended, texts, heads, conversations: {context: {appId: 'shop', observer}} as unknown as Conversations}
}

t.test('a question is recorded as it can be asked again: its tools, format and durations are JSON', async t => {
  const {texts, conversations} = newObserver()
  const body = {
    metadata: {},
    promptCacheRetention: '5400.500s',
    tools: [{function: {name: 'weather', parameters: {type: 'object', required: ['city']}}}],
    responseFormat: {type: 'object'}
  }
  const asked = {
    name: 'llm',
    version: 'v1.0-alpha2',
    protocol: 'HTTP/1.1',
    kept: '',
    request: [REQUEST, messageOfJson(REQUEST, body)]
  } as const
  await t.rejects(recordModelCall(conversations, asked, {}, fails), {message: 'of a provider'})
  t.strictSame(JSON.parse(texts[0] ?? ''), body)
})

t.test('a question that fails in a way nobody expects is over, too', async t => {
  const {ended, conversations} = newObserver()
  const asked = {name: 'llm', version: 'v1.0-alpha2', protocol: 'HTTP/1.1', kept: '', request: [{}, {}]} as const
  await t.rejects(recordModelCall(conversations, asked, {}, fails), {message: 'of a provider'})
  t.match(ended, [{status: 500, failure: 'of a provider'}])
})

const refuses = async (): Promise<never> => Promise.reject(invalidQuestion('llm', 'no such tool'))

t.test('an answer has the words of its status', async t => {
  const {heads, conversations} = newObserver()
  const asked = {name: 'llm', version: 'v1.0-alpha2', protocol: 'HTTP/1.1', kept: '', request: [{}, {}]} as const
  await t.rejects(recordModelCall(conversations, asked, {}, refuses))
  await t.rejects(recordModelCall(conversations, asked, {}, fails))
  t.match(heads, [/^HTTP\/1\.1 400 Bad Request\r\n/, /^HTTP\/1\.1 500 Internal Server Error\r\n/])
})
