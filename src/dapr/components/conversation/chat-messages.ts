import {exactText} from '../../../model/exact-json.ts'
import {isObject} from '../../../model/is-object.ts'
import type {Choice, ModelAnswer, ModelMessage, ModelQuestion, TokenUsage, ToolCall} from '../language-model.ts'
import {countOf, listOf, memberOf, stringOf} from './provider.ts'

// The wire form of OpenAI's chat completions, which most providers speak.

/** Models that do not accept a temperature. */
const FIXED_TEMPERATURE = /^(?:o1-|o3|gpt-5)/

/** Returns a question as the body of a request. Throws for parts that the form lacks. */
export function chatRequest(model: string, question: ModelQuestion): object {
  const {messages, tools, toolChoice, temperature, responseFormat, metadata, keepPromptMs} = question
  return {
    model,
    messages: (model.startsWith('o1-') ? withoutSystem(messages) : messages).map(messageOfChat),
    ...(temperature !== undefined && !FIXED_TEMPERATURE.test(model) && {temperature}),
    ...(tools.length > 0 && {
      tools: tools.map(({name, description, parameters}) => ({
        type: 'function',
        function: {
          name,
          ...(description !== '' && {description}),
          ...(Object.keys(parameters).length > 0 && {parameters})
        }
      })),
      tool_choice: choiceOf(toolChoice)
    }),
    ...(responseFormat !== undefined && {response_format: formatOf(responseFormat)}),
    ...(Object.keys(metadata).length > 0 && {metadata}),
    ...(keepPromptMs > 0 && {prompt_cache_retention: retentionOf(keepPromptMs)})
  }
}

const choiceOf = (choice: string): unknown =>
  ['auto', 'none', 'required'].includes(choice) ? choice : {type: 'function', function: {name: choice}}

/** Writes a duration as providers do: `24h`. */
function retentionOf(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`
}

/** Moves the texts of the system into the first message of the user. */
function withoutSystem(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const system = messages.filter(({role}) => role === 'system').flatMap(({texts}) => texts)
  const others = messages.filter(({role}) => role !== 'system')
  const first = others.findIndex(({role}) => role === 'user')
  if (system.length === 0 || first < 0) return messages
  return others.map((each, at) => (at === first ? {...each, texts: [[...system, ...each.texts].join('\n\n')]} : each))
}

function messageOfChat({role, texts, calls, resultOf}: ModelMessage): object {
  if (resultOf !== undefined) {
    if (texts.length !== 1) throw new Error(`expected exactly one part for role tool, got ${texts.length}`)
    return {role, content: texts[0], tool_call_id: resultOf.id}
  }
  const [text = ''] = texts
  return {
    role,
    content: texts.length > 1 ? texts.map(each => ({type: 'text', text: each})) : text,
    ...(calls.length > 0 && {tool_calls: calls.map(callOfChat)})
  }
}

const callOfChat = ({id, name, arguments: written}: ToolCall): object => ({
  id,
  type: 'function',
  function: {name, arguments: written}
})

type Json = Readonly<Record<string, unknown>>

const SCHEMA_KEYS = ['type', 'description', 'enum', 'items', 'properties', 'additionalProperties', 'required']

/** Whether a response format can be sent: it needs a type. */
export const isResponseFormat = (format: Json): boolean => typeof format['type'] === 'string'

const formatOf = (format: Json): object | undefined =>
  isResponseFormat(format)
    ? {
        type: 'json_schema',
        json_schema: {
          name: typeof format['name'] === 'string' && format['name'] !== '' ? format['name'] : 'response',
          strict: format['strict'] === true,
          schema: schemaOf(format)
        }
      }
    : undefined

/** Removes unknown keys from a JSON schema, at all levels. */
function schemaOf(schema: Json): object {
  const members = SCHEMA_KEYS.flatMap(key => {
    const value = schema[key]
    if (value === undefined) return []
    if (key === 'items' && isObject(value)) return [[key, schemaOf(value)] as const]
    if (key !== 'properties' || !isObject(value)) return [[key, value] as const]
    const all = Object.entries(value).map(([name, each]) => [name, isObject(each) ? schemaOf(each) : each] as const)
    return [[key, Object.fromEntries(all)] as const]
  })
  return Object.fromEntries(members)
}

/** Reads a provider's answer. Throws if the body has none. */
export function chatAnswer(body: unknown): ModelAnswer {
  const choices = listOf(body, 'choices')
  if (choices.length === 0) throw new Error('empty response')
  return {choices: choices.map(choiceIn), usage: usageIn(memberOf(body, 'usage'))}
}

function choiceIn(choice: unknown): Choice {
  const message = memberOf(choice, 'message')
  const parts = listOf(message, 'content').map(part => stringOf(part, 'text'))
  return {
    reason: stringOf(choice, 'finish_reason'),
    text: parts.join('') || stringOf(message, 'content'),
    calls: listOf(message, 'tool_calls').map(call => {
      const called = memberOf(call, 'function')
      const written = memberOf(called, 'arguments')
      return {
        id: stringOf(call, 'id'),
        name: stringOf(called, 'name'),
        arguments: typeof written === 'string' ? written : exactText(written ?? {})
      }
    })
  }
}

const isAny = (counts: Readonly<Record<string, number>>): boolean => Object.values(counts).some(count => count > 0)

/** Reads token counts. Returns undefined if all are 0, as from servers that do not count. */
function usageIn(usage: unknown): TokenUsage | undefined {
  const counts = {
    completion: countOf(usage, 'completion_tokens'),
    prompt: countOf(usage, 'prompt_tokens'),
    total: countOf(usage, 'total_tokens')
  }
  if (!isAny(counts)) return undefined
  const completion = memberOf(usage, 'completion_tokens_details')
  const ofCompletion = {
    accepted: countOf(completion, 'accepted_prediction_tokens'),
    audio: countOf(completion, 'audio_tokens'),
    reasoning: countOf(completion, 'reasoning_tokens'),
    rejected: countOf(completion, 'rejected_prediction_tokens')
  }
  const prompt = memberOf(usage, 'prompt_tokens_details')
  const ofPrompt = {audio: countOf(prompt, 'audio_tokens'), cached: countOf(prompt, 'cached_tokens')}
  return {...counts, ...(isAny(ofCompletion) && {ofCompletion}), ...(isAny(ofPrompt) && {ofPrompt})}
}
