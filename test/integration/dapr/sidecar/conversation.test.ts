import t, {type Test} from 'tap'
import * as messages from '../../../../src/model/dapr/messages/ai.generated.ts'
import {decode, encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {structOf} from '../../../../src/proxy/net/grpc/struct.ts'
import {componentResource} from '../../../rig/component-resource.ts'
import {openModelServer, withJson} from '../../../rig/model-server.ts'
import {ask} from './caller.ts'
import {echoClient, openTestGrpcPort} from './grpc/rig.ts'
import {noBlocks, noComponents, openTestSidecar} from './rig.ts'

type Resources = Parameters<typeof componentResource>[]

const open = async (t: Test, resources: Resources = [['echo', 'conversation.echo', {}]]) => {
  const components = noComponents()
  const failed = await components.follow(resources.map(each => componentResource(...each)))
  t.teardown(async () => components.close())
  const blocks = noBlocks(undefined, undefined, components)
  const {port} = await openTestSidecar(t, {blocks})
  const grpc = await openTestGrpcPort(t, {blocks})
  const client = echoClient(t, grpc.port)
  const converse = async (version: 1 | 2, name: string, body: object | string) => {
    const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const head = `POST /v1.0-alpha${version}/conversation/${name}/converse HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${text.length}\r\n\r\n`
    const {status = 0, body: answer = '', headers} = (await ask(t, port, head + text.toString('latin1'))) ?? {}
    return {status, headers, text: Buffer.from(answer, 'latin1').toString()}
  }
  /** The same, as JSON. */
  const answer = async (version: 1 | 2, name: string, body: object) => {
    const {status, text} = await converse(version, name, body)
    return {status, ...(JSON.parse(text) as object)}
  }
  return {converse, answer, client, failed}
}

const user = (...texts: readonly string[]) => ({ofUser: {content: texts.map(text => ({text}))}})
const inputs = (...all: readonly object[]) => [{messages: all}]
const tool = (name: string, properties: object = {}) => ({function: {name, parameters: {type: 'object', properties}}})

const usage = (words: number) =>
  `"usage":{"completionTokens":"${words}","promptTokens":"${words}","totalTokens":"${words * 2}"}`

t.test('echo: alpha1 and alpha2 over HTTP, to the byte', async t => {
  const {converse} = await open(t)
  const any = {'@type': 'type.googleapis.com/google.protobuf.Int64Value', value: '7'}
  const cases: readonly (readonly [version: 1 | 2, body: object, answer: string])[] = [
    [
      1,
      {inputs: [{content: 'a'}, {content: 'b b', role: 'system'}], contextID: 'c', parameters: {x: any}},
      `{"contextID":"c","outputs":[{"result":"a\\nb b","parameters":{"x":${JSON.stringify(any)}}}]}`
    ],
    [1, {inputs: [{content: ''}]}, '{"outputs":[{}]}'],
    [
      2,
      {inputs: inputs(user('hi there', '<ä>')), contextId: 'x'},
      `{"contextId":"x","outputs":[{"choices":[{"finishReason":"stop","message":{"content":"hi there\\n<ä>"}}],${usage(3)}}]}`
    ],
    [
      2,
      {inputs: [{messages: [{of_user: {content: [{text: 'snake'}]}}], scrub_pii: true, other: 1}], context_id: 'x'},
      `{"contextId":"x","outputs":[{"choices":[{"finishReason":"stop","message":{"content":"snake"}}],${usage(1)}}]}`
    ],
    [2, {inputs: inputs()}, '{"outputs":[{"choices":[{"finishReason":"stop","message":{}}],"usage":{}}]}'],
    [
      2,
      {inputs: inputs(user('hi')), tools: [tool('t', {b: {}, a: {}}), tool('u')], toolChoice: 'none'},
      `{"outputs":[{"choices":[{"finishReason":"tool_calls","message":{"content":"hi","toolCalls":[{"id":"0","function":{"name":"t","arguments":"a,b"}},{"id":"1","function":{"name":"u"}}]}}],${usage(1)}}]}`
    ],
    [
      2,
      {
        inputs: inputs(
          {ofAssistant: {content: [{text: 'calls'}], toolCalls: [{id: '7', function: {name: 'f', arguments: '{}'}}]}},
          {ofTool: {toolId: '7', name: 'f', content: [{text: 'r'}]}},
          {ofDeveloper: {name: 'n', content: [{text: 'dev'}]}}
        )
      },
      `{"outputs":[{"choices":[{"finishReason":"tool_calls","message":{"content":"calls\\nTool Response for tool ID '7' with name 'f': r\\ndev","toolCalls":[{"id":"7","function":{"name":"f","arguments":"{}"}}]}}],${usage(12)}}]}`
    ]
  ]
  for (const [version, body, answer] of cases)
    t.match(await converse(version, 'echo', body), {status: 200, text: answer}, answer)
})

t.test('echo over gRPC', async t => {
  const {client} = await open(t)
  const content = [{text: 'hello world'}]
  const asked = encode(messages.ConversationRequestAlpha2, {
    name: 'echo',
    contextId: 'c',
    inputs: [{messages: [{ofUser: {content}}], scrubPii: undefined}] as never,
    tools: [{function: {name: 't', description: undefined, parameters: structOf({properties: {a: {}}})}}]
  })
  const {code, answer} = await client.dapr('ConverseAlpha2', asked)
  t.equal(code, 0)
  const told = decode(messages.ConversationResponseAlpha2, Buffer.from(answer, 'latin1'))
  t.match(told, {
    contextId: 'c',
    outputs: [
      {
        choices: [
          {
            finishReason: 'tool_calls',
            index: 0n,
            message: {content: 'hello world', toolCalls: [{id: '0', function: {name: 't', arguments: 'a'}}]}
          }
        ],
        model: undefined,
        usage: {completionTokens: 2n, promptTokens: 2n, totalTokens: 4n}
      }
    ]
  })
  const input = {content: 'one', role: undefined, scrubPII: undefined}
  const first = await client.dapr(
    'ConverseAlpha1',
    encode(messages.ConversationRequest, {
      name: 'echo',
      inputs: [input],
      parameters: {p: {typeUrl: 'u', value: Buffer.from('v')}}
    })
  )
  const {outputs} = decode(messages.ConversationResponse, Buffer.from(first.answer, 'latin1'))
  t.match(outputs, [{result: 'one', parameters: {p: {typeUrl: 'u'}}}])
  t.match(await client.dapr('ConverseAlpha2', encode(messages.ConversationRequestAlpha2, {name: 'echo'})), {
    code: 3,
    message: 'failed conversing with component echo: missing inputs in request'
  })
  t.match(await client.dapr('ConverseAlpha1', encode(messages.ConversationRequest, {name: 'nope'})), {
    code: 3,
    message: 'failed finding conversation component nope (there is: echo)'
  })
})

const CHOICES = "'auto', 'none', 'required', or a specific tool name matching the tools available to be used"

t.test('what is wrong with a request is told in Dapr’s words: the component first, then the inputs', async t => {
  const {converse} = await open(t)
  const failed = 'failed conversing with component echo: '
  const body = 'failed deserializing HTTP body: '
  const hi = {inputs: inputs(user('hi'))}
  const cases: readonly (readonly [
    1 | 2,
    name: string,
    body: object | string,
    status: number,
    code: string,
    text: string
  ])[] = [
    [1, 'nope', '{}', 400, 'ERR_CONVERSATION_NOT_FOUND', 'failed finding conversation component nope (there is: echo)'],
    [1, 'echo', '', 400, 'ERR_CONVERSATION_MISSING_INPUTS', `${failed}missing inputs in request`],
    [2, 'echo', '{"inputs":[]}', 400, 'ERR_CONVERSATION_MISSING_INPUTS', `${failed}missing inputs in request`],
    [1, 'nope', '{', 400, 'ERR_MALFORMED_REQUEST', ''],
    [2, 'echo', '[]', 400, 'ERR_MALFORMED_REQUEST', `${body}expected an object`],
    [1, 'echo', {inputs: [{content: 5}]}, 400, 'ERR_MALFORMED_REQUEST', `${body}"content" must be a text`],
    [1, 'echo', {inputs: 5}, 400, 'ERR_MALFORMED_REQUEST', `${body}"inputs" must be a list`],
    [2, 'echo', {...hi, temperature: 'hot'}, 400, 'ERR_MALFORMED_REQUEST', `${body}"temperature" must be a number`],
    [2, 'echo', {...hi, scrubPii: 1}, 400, 'ERR_MALFORMED_REQUEST', `${body}"scrubPii" must be true or false`],
    [
      2,
      'echo',
      {...hi, metadata: {a: 1}},
      400,
      'ERR_MALFORMED_REQUEST',
      `${body}"metadata" must be an object of texts`
    ],
    [
      2,
      'echo',
      {...hi, responseFormat: 'x'},
      400,
      'ERR_MALFORMED_REQUEST',
      `${body}"responseFormat" must be an object`
    ],
    [
      2,
      'echo',
      {...hi, promptCacheRetention: '1h'},
      400,
      'ERR_MALFORMED_REQUEST',
      `${body}"promptCacheRetention" must be seconds such as 86400s`
    ],
    [
      1,
      'echo',
      {inputs: [{content: 'a'}], parameters: {x: 'y'}},
      400,
      'ERR_MALFORMED_REQUEST',
      `${body}"parameters.x" must be an object with "@type"`
    ],
    [1, 'echo', {inputs: [{content: 'a'}], metadata: {temperature: 'hot'}}, 500, 'ERROR', ''],
    [
      2,
      'echo',
      {inputs: inputs({...user('a'), ofSystem: {}})},
      400,
      'ERR_MALFORMED_REQUEST',
      `${body}"messages[0]" has ofSystem and ofUser: it may have one of them`
    ],
    [
      2,
      'echo',
      {inputs: inputs({})},
      400,
      'ERR_CONVERSATION_INVALID_PARMS',
      `${failed}invalid params: message type cannot be nil`
    ],
    [
      2,
      'echo',
      {inputs: inputs({ofAssistant: {toolCalls: [{id: '1'}]}})},
      400,
      'ERR_CONVERSATION_INVALID_PARMS',
      `${failed}invalid params: tool types cannot be nil`
    ],
    [
      2,
      'echo',
      {...hi, toolChoice: 'required'},
      400,
      'ERR_CONVERSATION_INVALID_PARMS',
      `${failed}invalid params: tool choice must be ${CHOICES}`
    ],
    [
      2,
      'echo',
      {...hi, tools: [tool('t')], toolChoice: 'u'},
      400,
      'ERR_CONVERSATION_INVALID_PARMS',
      `${failed}invalid params: tool choice selected was not found. Must be ${CHOICES}`
    ],
    [
      2,
      'echo',
      {...hi, tools: [{function: {name: 't', parameters: {properties: 5}}}]},
      500,
      'ERR_CONVERSATION_INVOKE',
      `${failed}tool function properties must be a map[string]any, got float64`
    ]
  ]
  for (const [version, name, sent, status, errorCode, message] of cases) {
    const {status: came, text} = await converse(version, name, sent)
    const error = JSON.parse(text) as {errorCode: string; message: string}
    t.match({status: came, ...error}, {status, errorCode, message: message || /./}, `${errorCode} ${message}`)
  }
  t.match(await converse(2, 'echo', {...hi, toolChoice: 'any'}), {status: 200}, 'without tools any name is let through')
})

/** A tool with these properties. */
const named = (properties: object | number): object => ({function: {name: 't', parameters: structOf({properties})}})

t.test('the same over gRPC', async t => {
  const {client} = await open(t)
  const failed = 'failed conversing with component echo: '
  const hi = [{messages: [{ofUser: {content: [{text: 'hi'}]}}]}]
  const cases: readonly (readonly [version: 1 | 2, request: object, code: number, message: string])[] = [
    [1, {name: 'nope'}, 3, 'failed finding conversation component nope (there is: echo)'],
    [2, {name: 'nope', inputs: hi}, 3, 'failed finding conversation component nope (there is: echo)'],
    [1, {name: 'echo'}, 3, `${failed}missing inputs in request`],
    [2, {name: 'echo', inputs: []}, 3, `${failed}missing inputs in request`],
    [2, {name: 'echo', inputs: [{messages: [{}]}]}, 3, `${failed}invalid params: message type cannot be nil`],
    [
      2,
      {name: 'echo', inputs: [{messages: [{ofAssistant: {content: [], toolCalls: [{id: '1'}]}}]}]},
      3,
      `${failed}invalid params: tool types cannot be nil`
    ],
    [
      2,
      {name: 'echo', inputs: hi, toolChoice: 'required'},
      3,
      `${failed}invalid params: tool choice must be ${CHOICES}`
    ],
    [
      2,
      {name: 'echo', inputs: hi, tools: [named({})], toolChoice: 'u'},
      3,
      `${failed}invalid params: tool choice selected was not found. Must be ${CHOICES}`
    ],
    [
      2,
      {name: 'echo', inputs: hi, tools: [named(5)]},
      13,
      `${failed}tool function properties must be a map[string]any, got float64`
    ]
  ]
  for (const [version, request, code, message] of cases) {
    const schema = version === 1 ? messages.ConversationRequest : messages.ConversationRequestAlpha2
    const sent = encode<typeof messages.ConversationRequestAlpha2>(schema as never, request)
    t.match(await client.dapr(`ConverseAlpha${version}`, sent), {code, message}, message)
  }
})

const choices = (content: string) => ({outputs: [{choices: [{message: {content}}]}]})

t.test('personal data: of an input before it is sent, of the request in the answers', async t => {
  const server = await openModelServer(t)
  const {answer} = await open(t, [['llm', 'conversation.ollama', {endpoint: server.url}]])
  const said = 'write to jane.doe@example.com'
  await answer(2, 'llm', {inputs: [{messages: [user(said)], scrubPii: true}, {messages: [user('bob@example.com')]}]})
  t.match(server.asked[0]?.body.messages, [{content: 'write to <EMAIL_ADDRESS>'}, {content: 'bob@example.com'}])
  t.match(await answer(2, 'llm', {inputs: inputs(user(said))}), choices(`You said: ${said}`))
  t.match(
    await answer(2, 'llm', {inputs: inputs(user(said)), scrubPii: true}),
    choices('You said: write to <EMAIL_ADDRESS>')
  )
  t.match(server.asked.at(-1)?.body.messages, [{content: said}])
  t.match(await answer(1, 'llm', {inputs: [{content: said, scrubPII: true}]}), {
    outputs: [{result: 'You said: write to <EMAIL_ADDRESS>'}]
  })
})

t.test('several choices are several outputs; usage and model are the same in each', async t => {
  const server = await openModelServer(t)
  const {answer} = await open(t, [['llm', 'conversation.openai', {key: 'k', endpoint: server.url, model: 'm'}]])
  server.next.push(
    withJson({
      choices: [
        {index: 0, message: {content: 'one'}, finish_reason: 'stop'},
        {index: 1, message: {content: [{type: 'text', text: 'two'}]}}
      ],
      usage: {prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, completion_tokens_details: {reasoning_tokens: 4}}
    })
  )
  const spent = {
    completionTokens: '2',
    promptTokens: '1',
    totalTokens: '3',
    completionTokensDetails: {reasoningTokens: '4'}
  }
  t.strictSame(await answer(2, 'llm', {inputs: inputs(user('x'))}), {
    status: 200,
    outputs: [
      {choices: [{finishReason: 'stop', message: {content: 'one'}}], model: 'm', usage: spent},
      {choices: [{finishReason: 'unknown', index: '1', message: {content: 'two'}}], model: 'm', usage: spent}
    ]
  })
})

t.test('a model that must call a tool, and gives nothing, has failed', async t => {
  const server = await openModelServer(t)
  const {answer} = await open(t, [['llm', 'conversation.openai', {key: 'k', endpoint: server.url}]])
  server.next.push(withJson({choices: [{message: {content: ''}, finish_reason: 'stop'}]}))
  t.match(await answer(2, 'llm', {inputs: inputs(user('x')), tools: [tool('t')], toolChoice: 'required'}), {
    status: 500,
    errorCode: 'ERR_CONVERSATION_INVOKE',
    message:
      'failed conversing with component llm: LLM returned empty response with no tool calls despite 1 tools being available'
  })
})
