import type {CONVERSATION} from '../../../model/dapr/api/blocks.ts'
import * as messages from '../../../model/dapr/messages/ai.generated.ts'
import type {Protocol} from '../../../model/call-protocol.ts'
import type {Message, Schema} from '../../../proxy/net/grpc/message-codec.ts'
import {structIn} from '../../../proxy/net/grpc/struct.ts'
import type {ModelAnswer, ModelMessage, ModelQuestion, TokenUsage, ToolCall} from '../../components/language-model.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {invalidQuestion} from '../blocks/conversations.ts'
import {withoutPersonalData} from '../../components/conversation/personal-data.ts'
import type {BlockRequest} from './block-request.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {recordModelCall} from './model-call.ts'
import {grpc, messageIn, type BlockOperation, type OperationsOf} from './operation.ts'
import {jsonOfMessage} from './proto-json.ts'

type Request1 = Message<typeof messages.ConversationRequest>
type Request2 = Message<typeof messages.ConversationRequestAlpha2>
type Result2 = Message<typeof messages.ConversationResultAlpha2>
type Usage = Message<typeof messages.ConversationResultAlpha2CompletionUsage>

const scrubbed = (text: string, isScrubbed: boolean | undefined): string =>
  isScrubbed === true ? withoutPersonalData(text) : text

const ROLES: ReadonlyMap<string, ModelMessage['role']> = new Map([
  ['system', 'system'],
  ['assistant', 'assistant'],
  ['ai', 'assistant'],
  ['tool', 'tool'],
  ['function', 'function']
])

const NOTHING_SAID = {tools: [], toolChoice: '', responseFormat: undefined, metadata: {}, keepPromptMs: 0} as const

/** Throws for a `temperature` in the metadata that is not a number. Dapr parses it, too, although it does not use it. */
function checkMetadata(metadata: Request1['metadata']): void {
  for (const [key, value] of Object.entries(metadata))
    if (key.toLowerCase() === 'temperature' && Number.isNaN(Number(value)))
      throw new BlockError(
        [500, 'unknown', 'ERROR'],
        `cannot parse '${key}' as float: strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`
      )
}

async function converseAlpha1(
  {conversations}: Blocks,
  request: Request1,
  {protocol, onGone, kept}: Caller
): Promise<Message<typeof messages.ConversationResponse>> {
  const {name, inputs, contextID, scrubPII, parameters, metadata, temperature} = request
  const found = await conversations.find(name)
  checkMetadata(metadata)
  if (inputs.length === 0) throw conversations.missingInputs(name)
  const question: ModelQuestion = {
    ...NOTHING_SAID,
    temperature,
    isAnswerScrubbed: scrubPII === true,
    messages: inputs.map(input => ({
      role: ROLES.get(input.role ?? '') ?? 'user',
      texts: [scrubbed(input.content, input.scrubPII)],
      calls: [],
      resultOf: undefined
    }))
  }
  const {model} = found.model
  const sent = {
    ...request,
    inputs: inputs.map((input, at) => ({...input, content: question.messages[at]?.texts[0] ?? ''}))
  }
  const asked = {name, version: 'v1.0-alpha1', protocol, kept, request: [messages.ConversationRequest, sent]} as const
  return recordModelCall(conversations, asked, messages.ConversationResponse, async () => {
    const answer = await conversations.ask(found, question, onGone)
    const reply = {
      contextID: contextID === '' ? undefined : contextID,
      outputs: answer.choices.map(({text}) => ({result: scrubbed(text, scrubPII), parameters}))
    }
    return {model, answer, reply}
  })
}

async function converseAlpha2(
  {conversations}: Blocks,
  request: Request2,
  {protocol, onGone, kept}: Caller
): Promise<Message<typeof messages.ConversationResponseAlpha2>> {
  const {name, inputs, contextId, scrubPii} = request
  const found = await conversations.find(name)
  if (inputs.length === 0) throw conversations.missingInputs(name)
  const {model} = found.model
  const question = questionIn(request)
  const sent = {...request, inputs: inputs.map(scrubbedInput)}
  const asked = {
    name,
    version: 'v1.0-alpha2',
    protocol,
    kept,
    request: [messages.ConversationRequestAlpha2, sent]
  } as const
  return recordModelCall(conversations, asked, messages.ConversationResponseAlpha2, async () => {
    const answer = await conversations.ask(found, question, onGone)
    const reply = {contextId: contextId === '' ? undefined : contextId, outputs: outputsOf(answer, model, scrubPii)}
    return {model, answer, reply}
  })
}

/** Removes personal data from the texts of a message. */
function cleaned(said: object): object {
  const {content} = said as {readonly content: readonly {readonly text: string}[]}
  return {...said, content: content.map(({text}) => ({text: withoutPersonalData(text)}))}
}

const cleanedMessage = (message: object): object =>
  Object.fromEntries(Object.entries(message).map(([kind, said]) => [kind, said && cleaned(said as object)]))

/** Removes personal data from an input with `scrubPii`. */
const scrubbedInput = (input: Request2['inputs'][number]): Request2['inputs'][number] =>
  input.scrubPii === true ? {...input, messages: input.messages.map(cleanedMessage) as typeof input.messages} : input

function questionIn(request: Request2): ModelQuestion {
  const {name, inputs, temperature, tools: asked, toolChoice = '', responseFormat, metadata} = request
  const tools = asked.flatMap(({function: tool}) =>
    tool === undefined
      ? []
      : [{name: tool.name, description: tool.description ?? '', parameters: structIn(tool.parameters)}]
  )
  const {seconds = 0n, nanos = 0} = request.promptCacheRetention ?? {}
  return {
    messages: inputs.flatMap(input =>
      input.messages.map(message => modelMessage(message, input.scrubPii, why => invalidQuestion(name, why)))
    ),
    tools,
    toolChoice: toolChoice === '' && asked.length > 0 ? 'auto' : toolChoice,
    temperature,
    responseFormat: responseFormat && structIn(responseFormat),
    metadata,
    keepPromptMs: Number(seconds) * 1000 + nanos / 1e6,
    isAnswerScrubbed: request.scrubPii === true
  }
}

/** Converts a message to the form for models. A developer's message becomes a user's, as in Dapr. */
function modelMessage(
  message: Message<typeof messages.ConversationMessage>,
  isScrubbed: boolean | undefined,
  invalid: (why: string) => BlockError
): ModelMessage {
  const {ofDeveloper, ofSystem, ofUser, ofAssistant, ofTool} = message
  const said = ofTool ?? ofAssistant ?? ofUser ?? ofSystem ?? ofDeveloper
  if (said === undefined) throw invalid('message type cannot be nil')
  const texts = said.content.map(({text}) => scrubbed(text, isScrubbed))
  const plain = {texts, calls: [], resultOf: undefined}
  if (said === ofTool) return {...plain, role: 'tool', resultOf: {id: ofTool.toolId ?? '', name: ofTool.name}}
  if (said !== ofAssistant) return {...plain, role: said === ofSystem ? 'system' : 'user'}
  const calls = ofAssistant.toolCalls.map(({id = '', function: called}): ToolCall => {
    if (called === undefined) throw invalid('tool types cannot be nil')
    return {id, name: called.name, arguments: called.arguments}
  })
  return {...plain, role: 'assistant', calls}
}

const outputsOf = ({choices, usage}: ModelAnswer, model: string, isScrubbed: boolean | undefined): Result2[] =>
  choices.map(({reason, text, calls}, index) => ({
    choices: [
      {
        finishReason: reason || 'unknown',
        index: BigInt(index),
        message: {
          content: scrubbed(text, isScrubbed),
          toolCalls: calls.map(({id, name, arguments: written}) => ({
            id: id === '' ? undefined : id,
            function: {name, arguments: written}
          }))
        }
      }
    ],
    model: model === '' ? undefined : model,
    usage: usage && usageOf(usage)
  }))

const usageOf = ({completion, prompt, total, ofCompletion, ofPrompt}: TokenUsage): Usage => ({
  completionTokens: BigInt(completion),
  promptTokens: BigInt(prompt),
  totalTokens: BigInt(total),
  completionTokensDetails: ofCompletion && {
    acceptedPredictionTokens: BigInt(ofCompletion.accepted),
    audioTokens: BigInt(ofCompletion.audio),
    reasoningTokens: BigInt(ofCompletion.reasoning),
    rejectedPredictionTokens: BigInt(ofCompletion.rejected)
  },
  promptTokensDetails: ofPrompt && {audioTokens: BigInt(ofPrompt.audio), cachedTokens: BigInt(ofPrompt.cached)}
})

/** The facts about the request that the calls to the model need. */
interface Caller {
  readonly protocol: Protocol
  readonly onGone: OnGone
  /** Header lines of the request that its record keeps: its trace, and the mark of a replay. */
  readonly kept: string
}

const KEPT = /^(?:traceparent|pillion-replay):[^\r\n]*/gim

const callerOf = ({protocol, lines, onGone}: BlockRequest): Caller => ({
  protocol,
  onGone,
  kept: (lines.match(KEPT) ?? []).map(line => `${line}\r\n`).join('')
})

/** Makes an operation that is the same over HTTP, with JSON, and gRPC. An empty body counts as an empty object. */
const served = <Q extends Schema & {readonly name: readonly [1, 'string']}, R extends Schema>(
  request: Q,
  reply: R,
  run: (blocks: Blocks, request: Message<Q>, caller: Caller) => Promise<Message<R>>
): BlockOperation => ({
  grpc: grpc(request, reply, async (blocks, message, {onGone, onGone: {traceparent = ''}}) =>
    run(blocks, message, {protocol: 'gRPC', kept: traceparent === '' ? '' : `traceparent: ${traceparent}\r\n`, onGone})
  ),
  http: async (blocks, sent: BlockRequest): Promise<Reply> => {
    const message = messageIn(request, ['name'], sent)
    const body = JSON.stringify(jsonOfMessage(reply, await run(blocks, message, callerOf(sent))))
    return {status: 200, type: 'application/json', body, lines: ''}
  }
})

/** Conversation (Dapr: pkg/api/http/conversation.go). */
export const CONVERSATION_OPERATIONS: OperationsOf<typeof CONVERSATION> = {
  ConverseAlpha1: served(messages.ConversationRequest, messages.ConversationResponse, converseAlpha1),
  ConverseAlpha2: served(messages.ConversationRequestAlpha2, messages.ConversationResponseAlpha2, converseAlpha2)
}
