import {once} from 'node:events'
import http, {type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {buffer} from 'node:stream/consumers'

/** What a model server was asked. */
export interface AskedModel {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: ChatBody
}

interface ChatBody {
  readonly model?: string
  readonly messages?: readonly {readonly role: string; readonly content: unknown}[]
  readonly tools?: readonly {
    readonly name?: string
    readonly function?: {readonly name: string; readonly parameters?: {readonly required?: readonly string[]}}
  }[]
  readonly [other: string]: unknown
}

/** How one question is answered; by itself the server answers each. */
export type AnswerModel = (response: ServerResponse, asked: AskedModel) => void

export interface ModelServer {
  /** Of chat completions and of Anthropic's Messages alike. */
  readonly url: string
  readonly asked: AskedModel[]
  /** For the next questions, one each. */
  readonly next: AnswerModel[]
}

interface Ending {
  teardown(end: () => unknown): void
}

/**
 * A server that speaks both wire forms of providers. What the user said last is answered with `You said: …`; a question with
 * tools by a call of the first, unless it brings a result already.
 */
export async function openModelServer(t: Ending, port = 0): Promise<ModelServer> {
  const asked: AskedModel[] = []
  const next: AnswerModel[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const {url: path = '', headers} = request
    const question = {path, headers, body: JSON.parse((await buffer(request)).toString()) as ChatBody}
    asked.push(question)
    const answer = next.shift() ?? (path.endsWith('/messages') ? answerMessages : answerChat)
    answer(response, question)
  }
  const server = http.createServer((request, response) => void serve(request, response))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked, next}
}

/** An answer as JSON. */
export const withJson =
  (body: unknown, status = 200): AnswerModel =>
  response => {
    response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body))
  }

const latestOf = ({messages = []}: ChatBody, role: string): string => {
  const content = messages.findLast(each => each.role === role)?.content
  return typeof content === 'string' ? content : JSON.stringify(content ?? '')
}

const answerChat: AnswerModel = (response, {body}) => {
  const [tool] = body.tools ?? []
  const isCalling = tool !== undefined && body.messages?.at(-1)?.role === 'user' && body['tool_choice'] !== 'none'
  const {name = '', parameters} = tool?.function ?? {}
  const input = Object.fromEntries((parameters?.required ?? []).map(each => [each, `the ${each}`]))
  const call = {id: 'call_1', type: 'function', function: {name, arguments: JSON.stringify(input)}}
  const text =
    body.messages?.at(-1)?.role === 'tool' ? `So: ${latestOf(body, 'tool')}` : `You said: ${latestOf(body, 'user')}`
  const message = isCalling
    ? {role: 'assistant', content: null, tool_calls: [call]}
    : {role: 'assistant', content: text}
  withJson({
    id: 'chat-1',
    model: `${body.model}-2026`,
    choices: [{index: 0, message, finish_reason: isCalling ? 'tool_calls' : 'stop'}],
    usage: {prompt_tokens: 7, completion_tokens: 5, total_tokens: 12, prompt_tokens_details: {cached_tokens: 3}}
  })(response, {path: '', headers: {}, body})
}

const answerMessages: AnswerModel = (response, asked) => {
  const {body} = asked
  const [tool] = body.tools ?? []
  const isResult = JSON.stringify(body.messages?.at(-1)).includes('tool_result')
  const content =
    tool !== undefined && !isResult
      ? [
          {type: 'text', text: 'Let me see.'},
          {type: 'tool_use', id: 'toolu_1', name: tool.name, input: {city: 'Oslo'}}
        ]
      : [{type: 'text', text: `You said: ${latestOf(body, 'user')}`}]
  withJson({
    type: 'message',
    role: 'assistant',
    content,
    stop_reason: tool !== undefined && !isResult ? 'tool_use' : 'end_turn',
    usage: {input_tokens: 9, output_tokens: 4}
  })(response, asked)
}
