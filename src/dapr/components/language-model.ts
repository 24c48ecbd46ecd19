import type {Component} from './component.ts'

/** A call of a function that a model asks for. */
export interface ToolCall {
  /** Id of the call; '': none. */
  readonly id: string
  readonly name: string
  /** The arguments as the model wrote them, usually JSON. */
  readonly arguments: string
}

/** A function that a model may ask to call. */
export interface ModelTool {
  readonly name: string
  readonly description: string
  /** A JSON schema; without keys: none. */
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | 'function'
  readonly texts: readonly string[]
  readonly calls: readonly ToolCall[]
  /** The call whose result this message is; undefined: the message is not a result. */
  readonly resultOf: {readonly id: string; readonly name: string} | undefined
}

export interface ModelQuestion {
  readonly messages: readonly ModelMessage[]
  readonly tools: readonly ModelTool[]
  /** `auto`, `none`, `required`, or a tool's name; '': not given. */
  readonly toolChoice: string
  readonly temperature: number | undefined
  /** JSON schema for the answer; undefined: any text. */
  readonly responseFormat: Readonly<Record<string, unknown>> | undefined
  readonly metadata: Readonly<Record<string, string>>
  /** How long the provider keeps the prompt in its cache, in ms; 0: not given. */
  readonly keepPromptMs: number
  /** Whether personal data is removed from the answer before the caller or the recorder gets it. */
  readonly isAnswerScrubbed: boolean
}

/** An answer of a model. A question may have several. */
export interface Choice {
  /** Why the model ended: `stop`, `length`, `tool_calls` … */
  readonly reason: string
  readonly text: string
  readonly calls: readonly ToolCall[]
}

/** Numbers of tokens that a question has used. */
export interface TokenUsage {
  readonly completion: number
  readonly prompt: number
  readonly total: number
  readonly ofCompletion?: {
    readonly accepted: number
    readonly audio: number
    readonly reasoning: number
    readonly rejected: number
  }
  readonly ofPrompt?: {readonly audio: number; readonly cached: number}
}

export interface ModelAnswer {
  readonly choices: readonly Choice[]
  /** Token counts; undefined: the model does not report them. */
  readonly usage: TokenUsage | undefined
}

/** A language model behind a component (components-contrib: conversation, Conversation). */
export interface LanguageModel extends Component {
  /** The configured name of the model; '': none. */
  readonly model: string
  /** Asks the model. Rejects with the provider's message or Dapr's; with a FinalError if a retry would fail, too. */
  converse(question: ModelQuestion, signal: AbortSignal): Promise<ModelAnswer>
}

/** The error of a question that a retry would repeat. */
export class FinalError extends Error {
  override readonly name = 'FinalError'
}
