import type {OpenComponent, OpenOptions} from '../component.ts'
import type {LanguageModel, ModelAnswer, ModelQuestion} from '../language-model.ts'
import {chatAnswer, chatRequest, isResponseFormat} from './chat-messages.ts'
import {modelName, providerOf, Provider, type ProviderOptions} from './provider.ts'
import {askedOf} from './asked.ts'

/** The providers whose API has the form of OpenAI's chat completions. */
export type ChatProvider = 'deepseek' | 'googleai' | 'huggingface' | 'mistral' | 'ollama' | 'openai'

const ENDPOINTS: Readonly<Record<ChatProvider, (model: string) => string>> = {
  deepseek: () => 'https://api.deepseek.com',
  googleai: () => 'https://generativelanguage.googleapis.com/v1beta/openai',
  huggingface: model => `https://router.huggingface.co/hf-inference/models/${model}/v1`,
  mistral: () => 'https://api.mistral.ai/v1',
  ollama: () => 'http://localhost:11434/v1',
  openai: () => 'https://api.openai.com/v1'
}

/** Models behind the wire form of OpenAI's chat completions (components-contrib: conversation/openai and its like). */
export const openChat =
  (provider: ChatProvider): OpenComponent<LanguageModel> =>
  async options => {
    const {properties} = options
    const own = providerOf(provider, options) ?? provider
    const model = modelName(own, options)
    const key = properties.text('key') || (provider === 'ollama' ? 'ollama' : '')
    if (key === '') properties.fault('key', missingKey(provider))
    const way = own === 'azure' ? azureWay(options, {model, key}) : plainWay(provider, options, {model, key})
    return chatModel(options, {...way, model, key, ...(provider === 'ollama' && {hint: ollamaHint(model)})})
  }

const missingKey = (provider: string): string =>
  `the key is missing: conversation.${provider} needs one, as metadata "key" (for a server of your own that wants none, write any)`

interface Way extends Pick<ProviderOptions, 'endpoint' | 'headers'> {
  readonly path: string
}

interface Named {
  readonly model: string
  readonly key: string
}

function plainWay(provider: ChatProvider, {properties}: OpenOptions, {model, key}: Named): Way {
  const written = properties.text('endpoint')
  return {
    endpoint: written === '' ? ENDPOINTS[provider](model) : checkedUrl(properties, written),
    path: 'chat/completions',
    headers: {Authorization: `Bearer ${key}`}
  }
}

function azureWay({properties}: OpenOptions, {model, key}: Named): Way {
  const [endpoint, version] = [properties.text('endpoint'), properties.text('apiVersion')]
  if (endpoint === '' || version === '')
    properties.fault('apiType', "endpoint and apiVersion must be provided when apiType is set to 'azure'")
  const deployment = encodeURIComponent(model)
  return {
    endpoint: checkedUrl(properties, endpoint),
    path: `openai/deployments/${deployment}/chat/completions?api-version=${encodeURIComponent(version)}`,
    headers: {'api-key': key}
  }
}

/** Checks the endpoint of a component and returns it. Throws a ComponentFault unless it is an HTTP URL. */
export function checkedUrl(properties: OpenOptions['properties'], text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  return properties.fault('endpoint', `endpoint must begin with http:// or https://, and not "${text}"`)
}

const ollamaHint =
  (model: string) =>
  (status: number): string =>
    status === 0
      ? 'is Ollama running? "ollama serve" starts it'
      : status === 404
        ? `"ollama pull ${model}" gets it`
        : ''

function chatModel(
  options: OpenOptions,
  {model, path, ...way}: Way & Named & Pick<ProviderOptions, 'hint'>
): LanguageModel {
  const provider = new Provider(way, options)
  return keepingAnswers(
    {
      capabilities: [],
      model,
      converse: async (question, signal) => {
        const {responseFormat} = question
        if (responseFormat !== undefined && !isResponseFormat(responseFormat))
          options.warn(`component ${options.name}: the response format has no "type", and is left out`)
        return chatAnswer(await provider.post(path, chatRequest(model, question), signal))
      },
      close: async () => provider.close()
    },
    options
  )
}

/** Maximum number of answers in the cache, from which the oldest are dropped. */
const MAX_ANSWERS = 1000

/** Adds a cache to a model: equal questions get the same answer for `responseCacheTTL`. Failures and empty answers are not cached. */
export function keepingAnswers(model: LanguageModel, {properties}: OpenOptions): LanguageModel {
  const name = properties.has('responseCacheTTL') ? 'responseCacheTTL' : 'cacheTTL'
  const keepMs = properties.durationMs(name, 0, 1000)
  if (keepMs <= 0) return model
  const kept = new Map<string, {readonly answer: ModelAnswer; readonly until: number}>()
  const converse = async (question: ModelQuestion, signal: AbortSignal): Promise<ModelAnswer> => {
    const key = JSON.stringify(askedOf(question))
    const known = kept.get(key)
    if (known !== undefined && performance.now() < known.until) return known.answer
    const answer = await model.converse(question, signal)
    // an empty answer is not kept: a policy may repeat the question
    if (answer.choices.every(({text, calls}) => text === '' && calls.length === 0)) return answer
    kept.delete(key)
    kept.set(key, {answer, until: performance.now() + keepMs})
    const [oldest] = kept.keys()
    if (kept.size > MAX_ANSWERS && oldest !== undefined) kept.delete(oldest)
    return answer
  }
  return {...model, converse}
}
