/** Header of a recorded answer of a language model, with its cost and its tool calls. Pillion adds it. */
export const MODEL_HEADER = 'pillion-model'

/** Facts about a call of a language model, without any of its text. */
export interface ModelFacts {
  /** The configured name; '': none. */
  readonly model: string
  /** Token counts; undefined: the model does not report them. */
  readonly usage: {readonly prompt: number; readonly completion: number; readonly total: number} | undefined
  /** Finish reason of each choice in the response. */
  readonly reasons: readonly string[]
  /** Names of the tools that it called. */
  readonly tools: readonly string[]
}

/** Encodes a name of a provider, also with half a surrogate pair, for which `encodeURIComponent` throws. */
const encoded = (word: string): string => encodeURIComponent(word.toWellFormed())

const listed = (words: readonly string[]): string => words.map(encoded).join(',')
const unlisted = (text: string): readonly string[] => (text === '' ? [] : text.split(',').map(decodeURIComponent))

/** Encodes the facts as the value of the header. */
export const modelFactsText = ({model, usage, reasons, tools}: ModelFacts): string =>
  [
    encoded(model),
    usage === undefined ? '' : `${usage.prompt}+${usage.completion}=${usage.total}`,
    listed(reasons),
    listed(tools)
  ].join(';')

/** Decodes the facts in a value of the header. */
export function modelFactsIn(text: string): ModelFacts {
  const [model = '', usage = '', reasons = '', tools = ''] = text.split(';')
  const [prompt = 0, completion = 0, total = 0] = usage.split(/[+=]/).map(Number)
  return {
    model: decodeURIComponent(model),
    usage: usage === '' ? undefined : {prompt, completion, total},
    reasons: unlisted(reasons),
    tools: unlisted(tools)
  }
}
