import {exactText, jsonOrText} from '../../../model/exact-json.ts'
import type {OpenComponent} from '../component.ts'
import type {LanguageModel, ModelAnswer, ModelMessage, ModelQuestion, ToolCall} from '../language-model.ts'
import {checkedUrl, keepingAnswers} from './chat-completions.ts'
import {modelName, countOf, listOf, memberOf, Provider, stringOf} from './provider.ts'
import {because} from '../properties.ts'
import {ownOf} from '../../../model/own.ts'

const ENDPOINT = 'https://api.anthropic.com/v1'
const VERSION = '2023-06-01'
const MAX_TOKENS = 2048

/** `conversation.anthropic`: the Messages API (components-contrib: conversation/anthropic). */
export const open: OpenComponent<LanguageModel> = async options => {
  const {properties, name, warn} = options
  const key = properties.text('key')
  if (key === '') properties.fault('key', 'the key is missing: conversation.anthropic needs one, as metadata "key"')
  const written = properties.text('endpoint')
  if (written === '' && /^foundry$/i.test(properties.text('apiType')))
    properties.fault('apiType', "endpoint must be provided when apiType is set to 'foundry'")
  const endpoint = written === '' ? ENDPOINT : checkedUrl(properties, written)
  const model = modelName('anthropic', options)
  const provider = new Provider({endpoint, key, headers: {'x-api-key': key, 'anthropic-version': VERSION}}, options)
  const converse = async (question: ModelQuestion, signal: AbortSignal): Promise<ModelAnswer> => {
    if (question.responseFormat !== undefined)
      warn(`component ${name}: Anthropic’s Messages API takes no response format; it is left out`)
    const ask = async (): Promise<ModelAnswer> =>
      answerIn(await provider.post('messages', requestOf(model, question), signal))
    return ask().catch(because('anthropic: failed to create message'))
  }
  const close = async (): Promise<void> => provider.close()
  return keepingAnswers({capabilities: [], model, converse, close}, options)
}

function requestOf(model: string, {messages, tools, toolChoice, temperature}: ModelQuestion): object {
  const system = messages.filter(({role}) => role === 'system').flatMap(({texts}) => texts)
  return {
    model,
    max_tokens: MAX_TOKENS,
    ...(system.length > 0 && {system: system.join('\n')}),
    messages: turnsOf(messages.filter(({role}) => role !== 'system')),
    ...(temperature !== undefined && {temperature}),
    ...(tools.length > 0 && {
      tools: tools.map(({name, description, parameters}) => ({
        name,
        ...(description !== '' && {description}),
        input_schema: {type: 'object', ...parameters}
      })),
      tool_choice: choiceOf(toolChoice)
    })
  }
}

const CHOICES: Readonly<Record<string, object>> = {auto: {type: 'auto'}, none: {type: 'none'}, required: {type: 'any'}}

const choiceOf = (choice: string): object => ownOf(CHOICES, choice) ?? {type: 'tool', name: choice}

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: object[]
}

/** Returns the turns of both sides. Several messages of one side, and results of tools, are one turn. */
function turnsOf(messages: readonly ModelMessage[]): readonly Turn[] {
  const turns: Turn[] = []
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const latest = turns.at(-1)
    if (latest?.role === role) latest.content.push(...blocksOf(message))
    else turns.push({role, content: [...blocksOf(message)]})
  }
  return turns
}

function blocksOf({texts, calls, resultOf}: ModelMessage): readonly object[] {
  const content = texts.filter(text => text !== '').map(text => ({type: 'text', text}))
  if (resultOf !== undefined) return [{type: 'tool_result', tool_use_id: resultOf.id, content}]
  return [
    ...content,
    ...calls.map(({id, name, arguments: written}) => ({type: 'tool_use', id, name, input: inputOf(name, written)}))
  ]
}

function inputOf(name: string, written: string): object {
  const value = written === '' ? {} : jsonOrText(written)
  if (typeof value === 'object' && value !== null) return value
  throw new Error(`the arguments of the call of ${name} are no JSON object`)
}

/** Reads an answer: its texts become one text with the calls of tools. */
function answerIn(body: unknown): ModelAnswer {
  const blocks = listOf(body, 'content')
  const texts = blocks.filter(block => stringOf(block, 'type') === 'text').map(block => stringOf(block, 'text'))
  const calls = blocks
    .filter(block => stringOf(block, 'type') === 'tool_use')
    .map((block): ToolCall => ({
      id: stringOf(block, 'id'),
      name: stringOf(block, 'name'),
      arguments: exactText(memberOf(block, 'input') ?? {})
    }))
  if (texts.length === 0 && calls.length === 0) throw new Error('no response')
  const usage = memberOf(body, 'usage')
  const [prompt, completion] = [countOf(usage, 'input_tokens'), countOf(usage, 'output_tokens')]
  return {
    choices: [{reason: stringOf(body, 'stop_reason'), text: texts.join(''), calls}],
    usage: prompt + completion > 0 ? {completion, prompt, total: completion + prompt} : undefined
  }
}
