import type {OpenComponent} from '../component.ts'
import type {LanguageModel, ModelAnswer, ModelMessage, ModelQuestion, ModelTool, ToolCall} from '../language-model.ts'

/** `conversation.echo`: answers with the question, and calls each tool (components-contrib: conversation/echo). */
export const open: OpenComponent<LanguageModel> = async () => ({
  capabilities: [],
  model: '',
  converse: async question => echoOf(question)
})

function echoOf({messages, tools}: ModelQuestion): ModelAnswer {
  const calls = [...tools.map(callOf), ...messages.flatMap(each => each.calls)]
  const text = messages.flatMap(textsOf).join('\n')
  const words = text.split(/\s+/).filter(word => word !== '').length
  return {
    choices: [{reason: calls.length > 0 ? 'tool_calls' : 'stop', text, calls}],
    usage: {completion: words, prompt: words, total: words * 2}
  }
}

const textsOf = ({texts, resultOf}: ModelMessage): readonly string[] =>
  resultOf === undefined
    ? texts
    : texts.map(text => `Tool Response for tool ID '${resultOf.id}' with name '${resultOf.name}': ${text}`)

function callOf({name, parameters}: ModelTool, at: number): ToolCall {
  const {properties = {}} = parameters
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
    throw new Error(`tool function properties must be a map[string]any, got ${goType(properties)}`)
  return {id: at.toString(), name, arguments: Object.keys(properties).toSorted().join(',')}
}

/** How Go names the type of a JSON value. */
function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  return typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : 'string'
}
