import type {ModelAnswer, ModelMessage, ModelQuestion, ToolCall} from '../language-model.ts'
import {withoutPersonalData} from './personal-data.ts'

type Said = string | readonly string[]

/** A question as a recording contains it. Without omitted values, so that equal questions have equal texts. */
export interface WrittenQuestion {
  readonly messages: readonly SaidMessage[]
  readonly tools?: readonly object[]
  readonly toolChoice?: string
  readonly temperature?: number
  readonly responseFormat?: object
  readonly metadata?: object
  readonly keepPromptMs?: number
}

/** `{"user": "Hello"}`; with the calls that an assistant asked for, or the call that a result belongs to. */
type SaidMessage = Readonly<Record<string, Said | readonly ToolCall[] | object>>

const said = ({role, texts, calls, resultOf}: ModelMessage): SaidMessage => ({
  [role]: texts.length === 1 ? (texts[0] ?? '') : texts,
  ...(calls.length > 0 && {calls: calls.map(({id, name, arguments: written}) => ({id, name, arguments: written}))}),
  ...(resultOf !== undefined && {of: {id: resultOf.id, name: resultOf.name}})
})

/** Converts a question to this form. */
export function askedOf(question: ModelQuestion): WrittenQuestion {
  const {messages, tools, toolChoice, temperature, responseFormat, metadata, keepPromptMs} = question
  return {
    messages: messages.map(said),
    ...(tools.length > 0 && {
      tools: tools.map(({name, description, parameters}) => ({name, description, parameters: keysSorted(parameters)}))
    }),
    ...(toolChoice !== '' && {toolChoice}),
    ...(temperature !== undefined && {temperature}),
    ...(responseFormat !== undefined && {responseFormat: keysSorted(responseFormat) as object}),
    ...(Object.keys(metadata).length > 0 && {metadata: keysSorted(metadata) as object}),
    ...(keepPromptMs > 0 && {keepPromptMs})
  }
}

/** Sorts the keys of all objects: maps of gRPC, and files of other programs, have them in any order. */
export function keysSorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysSorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, keysSorted(each)])
  )
}

/** Removes personal data from an answer before it is stored, if the caller's answer is scrubbed, too. */
export function scrubbedAnswer(answer: ModelAnswer, {isAnswerScrubbed}: ModelQuestion): ModelAnswer {
  if (!isAnswerScrubbed) return answer
  return {...answer, choices: answer.choices.map(each => ({...each, text: withoutPersonalData(each.text)}))}
}
