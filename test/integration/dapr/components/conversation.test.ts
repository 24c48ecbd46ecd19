import {setTimeout} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {CONVERSATION_TYPES} from '../../../../src/dapr/components/conversation/types.ts'
import type {LanguageModel, ModelQuestion} from '../../../../src/dapr/components/language-model.ts'
import {freePort} from '../../../rig/free-port.ts'
import {openComponent} from '../../../rig/open-component.ts'
import {openModelServer, withJson, type ModelServer} from '../../../rig/model-server.ts'

const open = async (
  t: Test,
  kind: string,
  metadata: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {}
): Promise<LanguageModel> => {
  const load = CONVERSATION_TYPES[kind]?.load
  if (load === undefined) throw new Error(kind)
  return openComponent(t, await load(), metadata, {env})
}

const SAID = {calls: [], resultOf: undefined}
const question = (more: Partial<ModelQuestion> = {}): ModelQuestion => ({
  messages: [{role: 'user', texts: ['hi'], ...SAID}],
  tools: [],
  toolChoice: '',
  temperature: undefined,
  responseFormat: undefined,
  metadata: {},
  keepPromptMs: 0,
  isAnswerScrubbed: false,
  ...more
})

const asking = async (model: LanguageModel, more: Partial<ModelQuestion> = {}) =>
  model.converse(question(more), new AbortController().signal)

const bodyOf = async (server: ModelServer, model: LanguageModel, more: Partial<ModelQuestion> = {}) => {
  await asking(model, more)
  return server.asked.at(-1)?.body
}

t.test('each provider: where it is asked, with which key, and for which model', async t => {
  const server = await openModelServer(t)
  const key = {key: 'sk-1', endpoint: server.url}
  const bearer = {authorization: 'Bearer sk-1'}
  const azure = {...key, apiType: 'Azure', apiVersion: '2025-01-01', model: 'mine'}
  const cases: readonly (readonly [
    kind: string,
    metadata: object,
    env: object,
    model: string,
    path: string,
    headers: object
  ])[] = [
    ['openai', key, {}, 'gpt-5-nano', '/v1/chat/completions', bearer],
    ['openai', {...key, model: 'file'}, {OPENAI_MODEL: 'shell'}, 'shell', '/v1/chat/completions', bearer],
    [
      'openai',
      azure,
      {},
      'mine',
      '/v1/openai/deployments/mine/chat/completions?api-version=2025-01-01',
      {'api-key': 'sk-1'}
    ],
    ['ollama', {endpoint: server.url}, {}, 'llama3.2:latest', '/v1/chat/completions', {authorization: 'Bearer ollama'}],
    ['deepseek', key, {}, 'deepseek-chat', '/v1/chat/completions', bearer],
    ['googleai', key, {}, 'gemini-2.5-flash-lite', '/v1/chat/completions', bearer],
    ['huggingface', key, {}, 'deepseek-ai/DeepSeek-R1-Distill-Qwen-32B', '/v1/chat/completions', bearer],
    ['mistral', key, {MISTRAL_MODEL: 'm'}, 'm', '/v1/chat/completions', bearer],
    [
      'anthropic',
      key,
      {},
      'claude-sonnet-4-20250514',
      '/v1/messages',
      {'x-api-key': 'sk-1', 'anthropic-version': '2023-06-01'}
    ]
  ]
  for (const [kind, metadata, env, model, path, headers] of cases) {
    const opened = await open(t, kind, metadata as Record<string, string>, env as Record<string, string>)
    t.equal(opened.model, model)
    t.match(await asking(opened), {choices: [{text: /^You said: .*hi/, calls: []}]}, kind)
    t.match(server.asked.at(-1), {path, headers, body: {model}}, kind)
  }
})

t.test('a component without its key, or with half of what it needs, is told what is missing', async t => {
  for (const [kind, metadata, message] of [
    ['openai', {}, /the key is missing: conversation\.openai needs one/],
    ['anthropic', {}, /the key is missing/],
    ['openai', {key: 'k', endpoint: 'localhost:1'}, /endpoint must begin with http/],
    ['openai', {key: 'k', apiType: 'azure'}, "endpoint and apiVersion must be provided when apiType is set to 'azure'"],
    ['anthropic', {key: 'k', apiType: 'foundry'}, "endpoint must be provided when apiType is set to 'foundry'"]
  ] as const)
    await t.rejects(open(t, kind, metadata), {message})
})

const CALL = {id: 'c1', name: 'f', arguments: '{"a":1}'}
const HISTORY: ModelQuestion['messages'] = [
  {role: 'system', texts: ['Be brief.'], ...SAID},
  {role: 'user', texts: ['one', 'two'], ...SAID},
  {role: 'assistant', texts: ['Let me see.'], calls: [CALL], resultOf: undefined},
  {role: 'tool', texts: ['rain'], calls: [], resultOf: {id: 'c1', name: 'f'}}
]
const TOOLS = [
  {name: 'f', description: 'what it does', parameters: {type: 'object', properties: {a: {type: 'number'}}}}
]

t.test('chat completions: what is sent', async t => {
  const server = await openModelServer(t)
  const model = await open(t, 'openai', {key: 'k', endpoint: server.url, model: 'gpt-4o'})
  t.strictSame(await bodyOf(server, model), {model: 'gpt-4o', messages: [{role: 'user', content: 'hi'}]})
  const full = {
    messages: HISTORY,
    tools: TOOLS,
    toolChoice: 'f',
    temperature: 0,
    metadata: {user: '7'},
    keepPromptMs: 86_400_000,
    responseFormat: {
      type: 'object',
      name: 'weather',
      strict: true,
      title: 'dropped',
      properties: {a: {type: 'string', format: 'dropped'}},
      required: ['a']
    }
  }
  t.strictSame(await bodyOf(server, model, full), {
    model: 'gpt-4o',
    messages: [
      {role: 'system', content: 'Be brief.'},
      {
        role: 'user',
        content: [
          {type: 'text', text: 'one'},
          {type: 'text', text: 'two'}
        ]
      },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [{id: 'c1', type: 'function', function: {name: 'f', arguments: '{"a":1}'}}]
      },
      {role: 'tool', content: 'rain', tool_call_id: 'c1'}
    ],
    temperature: 0,
    tools: [{type: 'function', function: TOOLS[0]}],
    tool_choice: {type: 'function', function: {name: 'f'}},
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'weather',
        strict: true,
        schema: {type: 'object', properties: {a: {type: 'string'}}, required: ['a']}
      }
    },
    metadata: {user: '7'},
    prompt_cache_retention: '24h'
  })
  const old = await open(t, 'openai', {key: 'k', endpoint: server.url, model: 'o1-mini'})
  t.strictSame(await bodyOf(server, old, {messages: HISTORY.slice(0, 2), temperature: 1}), {
    model: 'o1-mini',
    messages: [{role: 'user', content: 'Be brief.\n\none\n\ntwo'}]
  })
  const twice = {...HISTORY[3], texts: ['a', 'b']} as ModelQuestion['messages'][number]
  await t.rejects(asking(model, {messages: [twice]}), {message: 'expected exactly one part for role tool, got 2'})
})

t.test('Anthropic’s Messages: what is sent, and what comes back', async t => {
  const server = await openModelServer(t)
  const model = await open(t, 'anthropic', {key: 'k', endpoint: server.url, model: 'claude'})
  const asked = {messages: HISTORY.slice(0, 2), tools: TOOLS, toolChoice: 'required', temperature: 0.5}
  t.strictSame(await asking(model, asked), {
    choices: [
      {reason: 'tool_use', text: 'Let me see.', calls: [{id: 'toolu_1', name: 'f', arguments: '{"city":"Oslo"}'}]}
    ],
    usage: {completion: 4, prompt: 9, total: 13}
  })
  t.strictSame(await bodyOf(server, model, {...asked, messages: HISTORY}), {
    model: 'claude',
    max_tokens: 2048,
    system: 'Be brief.',
    messages: [
      {
        role: 'user',
        content: [
          {type: 'text', text: 'one'},
          {type: 'text', text: 'two'}
        ]
      },
      {
        role: 'assistant',
        content: [
          {type: 'text', text: 'Let me see.'},
          {type: 'tool_use', id: 'c1', name: 'f', input: {a: 1}}
        ]
      },
      {role: 'user', content: [{type: 'tool_result', tool_use_id: 'c1', content: [{type: 'text', text: 'rain'}]}]}
    ],
    temperature: 0.5,
    tools: [{name: 'f', description: 'what it does', input_schema: TOOLS[0]?.parameters}],
    tool_choice: {type: 'any'}
  })
  // a block without text is refused there
  const silent = HISTORY.map(each => (each.role === 'tool' ? {...each, texts: ['']} : each))
  t.match(await bodyOf(server, model, {...asked, messages: silent}), {
    messages: [{}, {}, {content: [{type: 'tool_result', tool_use_id: 'c1', content: {length: 0}}]}]
  })
  const bad = [{...HISTORY[2], calls: [{...CALL, arguments: 'a,b'}]}] as ModelQuestion['messages']
  await t.rejects(asking(model, {messages: bad}), {
    message: 'anthropic: failed to create message: the arguments of the call of f are no JSON object'
  })
})

t.test('a number beyond 2^53 in the call of a tool stays as the model wrote it', async t => {
  const server = await openModelServer(t)
  const input = '{"id":1234567890123456789}'
  for (const [kind, answer] of [
    ['anthropic', `{"content":[{"type":"tool_use","id":"1","name":"f","input":${input}}]}`],
    ['ollama', `{"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"f","arguments":${input}}}]}}]}`]
  ] as const) {
    const model = await open(t, kind, {key: 'k', endpoint: server.url})
    server.next.push(response => void response.end(answer))
    t.match(await asking(model, {tools: TOOLS, toolChoice: 'auto'}), {choices: [{calls: [{arguments: input}]}]}, kind)
  }
})

/** These bytes, and the end of the connection. */
const withRaw =
  (text: string): ModelServer['next'][number] =>
  ({socket}) =>
    socket?.end(text)

t.test('what a provider does wrong is told in words, and never the key', async t => {
  const server = await openModelServer(t)
  const metadata = {key: 'sk-secret', endpoint: server.url}
  const model = await open(t, 'openai', metadata)
  const claude = await open(t, 'anthropic', metadata)
  const status = 'API returned unexpected status code: '
  const cases: readonly (readonly [answer: ModelServer['next'][number], message: string | RegExp])[] = [
    [withJson({error: {message: 'Rate limit reached'}}, 429), `${status}429: Rate limit reached`],
    [withJson({error: 'no such model'}, 404), `${status}404: no such model`],
    [
      withJson({error: {message: 'Incorrect API key provided: sk-secret.'}}, 401),
      `${status}401: Incorrect API key provided: ***. (the key is that of component.yaml:1)`
    ],
    [withJson({error: `${'x'.repeat(995)}sk-secret`}, 401), /^(?!.*sk-).*x\*\*\*/],
    [
      withRaw('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 13\r\n\r\n<html></html>'),
      `${status}502`
    ],
    [withRaw('HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'), `${status}500`],
    [withJson({}), 'empty response'],
    [withJson({choices: 'none'}), 'empty response'],
    [withJson(null), 'empty response'],
    [withRaw('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope'), /^the answer is no JSON: /],
    [withRaw('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'), 'EOF'],
    [withRaw('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 400\r\n\r\n{"choices":'), 'unexpected EOF'],
    [withRaw('nonsense\r\n\r\n'), /^network error: failed to reach API server \(.*malformed HTTP response/],
    [withRaw(''), /^network error: failed to reach API server \(Post .*: EOF\)$/]
  ]
  for (const [answer, message] of cases) {
    server.next.push(answer)
    await t.rejects(asking(model), {message}, String(message))
  }
  server.next.push(withJson({content: []}))
  await t.rejects(asking(claude), {message: 'anthropic: failed to create message: no response'})
  server.next.push(withJson({error: {message: 'Overloaded'}}, 529))
  await t.rejects(asking(claude), {message: `anthropic: failed to create message: ${status}529: Overloaded`})
})

t.test('a word that a server of one’s own got as its key stays in what is told', async t => {
  const server = await openModelServer(t)
  for (const [type, key, message] of [
    ['openai', 'any', 'too many companies'],
    ['ollama', '', 'ollama ran out of memory']
  ] as const) {
    const model = await open(t, type, {key, endpoint: server.url})
    server.next.push(withJson({error: {message}}, 500))
    await t.rejects(asking(model), {message: `API returned unexpected status code: 500: ${message}`})
  }
})

t.test('nobody listens, or Ollama lacks the model: what to do is said', async t => {
  const server = await openModelServer(t)
  const port = await freePort()
  const ollama = await open(t, 'ollama', {endpoint: `http://127.0.0.1:${port}/v1`})
  await t.rejects(asking(ollama), {
    message: /^network error: .*connection refused\) \(is Ollama running\? "ollama serve" starts it\)$/
  })
  const empty = await open(t, 'ollama', {endpoint: server.url})
  server.next.push(withJson({error: {message: 'model "llama3.2" not found, try pulling it first'}}, 404))
  await t.rejects(asking(empty), {message: /try pulling it first \("ollama pull llama3\.2:latest" gets it\)$/})
})

t.test('an answer in pieces is read; who leaves a slow provider ends the request there', async t => {
  const server = await openModelServer(t)
  const model = await open(t, 'openai', {key: 'k', endpoint: server.url})
  server.next.push(response => {
    const text = JSON.stringify({choices: [{message: {content: 'in pieces, ä'}}]})
    response.writeHead(200, {'content-type': 'application/json'})
    const bytes = Buffer.from(text)
    const send = (at: number): void => {
      if (at >= bytes.length) response.end()
      else response.write(bytes.subarray(at, at + 1), () => setImmediate(send, at + 1))
    }
    send(0)
  })
  t.match(await asking(model), {choices: [{text: 'in pieces, ä'}]})
  const gone = Promise.withResolvers<void>()
  const leaving = new AbortController()
  server.next.push(response => {
    response.on('close', () => gone.resolve())
    leaving.abort()
  })
  await t.rejects(model.converse(question(), leaving.signal), {message: 'context canceled'})
  await gone.promise
  server.next.push(() => void model.close?.())
  await t.rejects(asking(model), {message: 'context canceled'})
})

t.test('an equal question is answered from memory for as long as the component says; failures are not', async t => {
  const server = await openModelServer(t)
  const model = await open(t, 'openai', {key: 'k', endpoint: server.url, cacheTTL: '1h'})
  server.next.push(withJson({}, 500))
  await t.rejects(asking(model))
  const first = await asking(model)
  t.strictSame(await asking(model), first)
  t.equal(server.asked.length, 2)
  await asking(model, {temperature: 0.5})
  t.equal(server.asked.length, 3, 'another temperature')
  const short = await open(t, 'openai', {key: 'k', endpoint: server.url, responseCacheTTL: '1ms'})
  await asking(short)
  await setTimeout(5)
  await asking(short)
  t.equal(server.asked.length, 5)
})

t.test('an answer that says nothing is not kept: a policy asks again for the call of a tool', async t => {
  const server = await openModelServer(t)
  const model = await open(t, 'openai', {key: 'k', endpoint: server.url, cacheTTL: '1h'})
  for (const content of ['', 'found']) server.next.push(withJson({choices: [{message: {content}}]}))
  t.match(await asking(model), {choices: [{text: ''}]})
  t.match(await asking(model), {choices: [{text: 'found'}]})
})
