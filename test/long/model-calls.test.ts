import t, {type Test} from 'tap'
import * as messages from '../../src/model/dapr/messages/ai.generated.ts'
import type {Message} from '../../src/proxy/net/grpc/message-codec.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openModelServer, withJson, type ModelServer} from '../rig/model-server.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const KEY = 'sk-very-secret-1234'
const said = (text: string, isScrubbed = false): object => ({
  scrubPii: isScrubbed,
  messages: [{ofUser: {content: [{text}]}}]
})

/** An app whose model is a server of the test. */
async function openShop(t: Test): Promise<{rig: Rig; server: ModelServer; http: number; grpc: number}> {
  const rig = await openRig(t)
  const server = await openModelServer(t)
  await rig.write({
    'resources/llm.yaml': component('llm', 'conversation.openai', {endpoint: server.url, model: 'small', key: KEY})
  })
  await rig.template([{appID: 'shop', appDirPath: '.', resourcesPath: './resources', command: ['sleep', '600']}])
  const run = rig.pillion(['run', '-f', '.'])
  return {rig, server, ...(await run.ports('shop'))}
}

t.test('questions to models are calls: tokens, reasons, tools, never a key, no personal data', async t => {
  const {rig, server, http, grpc} = await openShop(t)
  const converse = async (version: 1 | 2, body: object): Promise<number> => {
    const url = `http://127.0.0.1:${http}/v1.0-alpha${version}/conversation/llm/converse`
    return (await fetch(url, {method: 'POST', body: JSON.stringify(body)})).status
  }
  const answer = (choice: object): void => {
    server.next.push(withJson({choices: [choice], usage: {prompt_tokens: 12, completion_tokens: 34, total_tokens: 46}}))
  }
  answer({finish_reason: 'stop', message: {content: 'Write to jane@example.com, ä'}})
  t.equal(await converse(2, {inputs: [said('I am jane@example.com', true)], scrubPii: true}), 200)
  answer({
    finish_reason: 'tool_calls',
    message: {content: '', tool_calls: [{id: '1', type: 'function', function: {name: 'get_weather', arguments: '{}'}}]}
  })
  const client = new DaprClient(t, grpc)
  const asked = {name: 'llm', inputs: [said('What now?')], tools: [{function: {name: 'get_weather'}}]}
  const message = asked as unknown as Partial<Message<typeof messages.ConversationRequestAlpha2>>
  t.match(await client.call('ConverseAlpha2', [messages.ConversationRequestAlpha2, message]), {code: 0})
  answer({finish_reason: 'stop', message: {content: 'old'}})
  t.equal(await converse(1, {inputs: [{content: 'first version'}]}), 200)
  server.next.push(withJson({error: {message: `no such key ${KEY}`}}, 401))
  t.equal(await converse(2, {inputs: [said('refused')]}), 500)

  const listed = await rig.run(['calls', 'to:llm', '-o', 'ndjson'])
  const rows = listed.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as object)
  const tokens = {prompt: 12, completion: 34, total: 46}
  t.match(rows, [
    {number: 1, from: 'shop', to: 'llm', status: 200, path: '/v1.0-alpha2/conversation/llm/converse'},
    {number: 2, status: 200, model: {name: 'small', reasons: ['tool_calls'], tools: ['get_weather'], tokens}},
    {number: 3, status: 200, path: '/v1.0-alpha1/conversation/llm/converse', model: {tools: [], tokens}},
    {number: 4, status: 500, isFailed: true}
  ])
  const first = await rig.run(['calls', '1'])
  t.match(first.stdout, /model small, 12 \+ 34 tokens, stop/)
  t.match(first.stdout, /I am <EMAIL_ADDRESS>[^]*Write to <EMAIL_ADDRESS>, ä[^]*"promptTokens":"12"/)
  t.match((await rig.run(['calls', '2'])).stdout, /model small, 12 \+ 34 tokens, tool_calls, called get_weather/)
  for (const number of ['1', '2', '3', '4'])
    t.notMatch((await rig.run(['calls', number])).stdout, /jane|sk-very/, `call ${number}`)
  const edges = JSON.parse((await rig.run(['graph', '-o', 'json'])).stdout) as {readonly edges: readonly object[]}
  t.match(edges.edges, [{from: 'shop', to: 'llm', calls: 4, tokens: {prompt: 36, completion: 102}}])
  const exported = await rig.run(['calls', 'to:llm', '-o', 'har'])
  t.match(exported.stdout + exported.stderr, /converse/)
  t.notMatch(exported.stdout, /What now|first version|EMAIL_ADDRESS/, 'exports have no texts')
})

t.test('record.body: 0 keeps nothing of what is said to models', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/llm.yaml': component('llm', 'conversation.echo')})
  await rig.template([{appID: 'shop', appDirPath: '.', resourcesPath: './resources', command: ['sleep', '600']}], {
    record: {body: 0}
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const body = JSON.stringify({inputs: [said('pssst')]})
  await fetch(`http://127.0.0.1:${http}/v1.0-alpha2/conversation/llm/converse`, {method: 'POST', body})
  const {stdout} = await rig.run(['calls', '1'])
  t.match(stdout, /model without a name, 1 \+ 1 tokens, stop/)
  t.notMatch(stdout, /pssst/)
})

t.test('a question is asked again by replay, and the answers are compared', async t => {
  const {rig, server, http} = await openShop(t)
  const answer = (content: string): void =>
    void server.next.push(withJson({choices: [{finish_reason: 'stop', message: {content}}]}))
  answer('yesterday')
  const url = `http://127.0.0.1:${http}/v1.0-alpha2/conversation/llm/converse`
  t.equal((await fetch(url, {method: 'POST', body: JSON.stringify({inputs: [said('When?')]})})).status, 200)
  answer('today')
  const {stdout} = await rig.run(['replay', '1', '--unsafe'])
  t.match(stdout, /^call 1, POST .*converse, shop → llm: 200 again[^]*yesterday[^]*today/)
  t.match(
    server.asked.map(({body}) => body.messages?.at(-1)?.content),
    ['When?', 'When?']
  )
})
