import {jsonIn} from '../../../model/is-json.ts'
import {messageOf} from '../../../model/errors.ts'
import {exactText, parseExactly} from '../../../model/exact-json.ts'
import {WebTarget, type WebResponse} from '../bindings/http/web-target.ts'
import type {OpenOptions} from '../component.ts'
import {without} from '../properties.ts'

/** Maximum bytes of an answer. A longer one is cut, and then is not valid JSON. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20

/** The server and the name of the model that a component asks. */
export interface ProviderOptions {
  /** The base URL, to which paths are added. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  /** API key, masked in messages unless it is too short to be a secret; '': none. */
  readonly key: string
  /** Returns advice for the user about a failure; '': none. `status`: 0: no answer. */
  readonly hint?: (status: number) => string
}

/** The HTTP API of a provider of language models, with JSON. */
export class Provider {
  readonly #options: ProviderOptions
  readonly #component: OpenOptions
  readonly #target: WebTarget

  constructor(options: ProviderOptions, component: OpenOptions) {
    this.#options = options
    this.#component = component
    const secretHeaders = Object.keys(options.headers).map(name => name.toLowerCase())
    const {env, properties} = component
    const shown = (text: string): string => properties.shown('endpoint', text)
    const limits = {timeoutMs: 0, maxBytes: MAX_ANSWER_BYTES}
    this.#target = new WebTarget({url: options.endpoint, shown, env, ...limits, secretHeaders})
  }

  /** Posts a question. Rejects with Dapr's message if the provider cannot be reached, refuses it, or does not answer with JSON. */
  async post(path: string, question: object, signal: AbortSignal): Promise<unknown> {
    const headers = new Map(Object.entries({'Content-Type': 'application/json', ...this.#options.headers}))
    const body = Buffer.from(exactText(question))
    const response = await this.#sent({method: 'POST', path, headers, body, signal})
    const {status, data} = response
    const text = Buffer.from(data).toString()
    if (status !== 200) {
      // the key is removed before the text is cut, so that no part of it is left
      const words = wordsIn(text, said => this.#without(said))
      const said = words === '' ? '' : `: ${words}`
      throw new Error(`API returned unexpected status code: ${status}${said}${this.#why(status)}`)
    }
    try {
      return parseExactly(text)
    } catch (error) {
      throw new Error(text.trim() === '' ? 'EOF' : `the answer is no JSON: ${this.#without(messageOf(error))}`, {
        cause: error
      })
    }
  }

  close(): void {
    this.#target.close()
  }

  async #sent(request: Parameters<WebTarget['send']>[0]): Promise<WebResponse> {
    try {
      return await this.#target.send(request)
    } catch (error) {
      const why = messageOf(error)
      if (/context canceled$|component is closed$/.test(why)) throw new Error('context canceled', {cause: error})
      // the message about an incomplete answer has no address
      if (/aborted$|unexpected EOF$/.test(why)) throw new Error('unexpected EOF', {cause: error})
      const text = `network error: failed to reach API server (${why})`
      throw new Error(this.#without(text) + this.#why(0), {cause: error})
    }
  }

  /** Removes the key, which providers repeat in their errors. A short key stays: local servers accept any word, which texts contain, too. */
  #without(text: string): string {
    return without(this.#options.key, text)
  }

  #why(status: number): string {
    const hint = this.#options.hint?.(status) ?? ''
    if (hint !== '') return ` (${hint})`
    const place = this.#component.properties.placeOf('key')
    return place !== undefined && (status === 401 || status === 403)
      ? ` (the key is that of ${place.file}:${place.line})`
      : ''
  }
}

const MAX_WORDS = 1000

/** A provider's text about its failure: `{"error": {"message"}}`, `{"error": "…"}`, `{"message"}`, or plain text. */
function wordsIn(text: string, shown: (words: string) => string): string {
  const plain = shown(text).slice(0, MAX_WORDS).replaceAll(/\s+/g, ' ').trim()
  const body = jsonIn(text)
  if (body === undefined && plain.startsWith('<')) return ''
  for (const path of [['error', 'message'], ['error'], ['message'], ['detail']]) {
    const found = path.reduce<unknown>(memberOf, Array.isArray(body) ? body[0] : body)
    if (typeof found === 'string') return shown(found).slice(0, MAX_WORDS)
  }
  return plain
}

/** Returns a member of a provider's answer, if any. */
export const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

/** Returns a list in a provider's answer. */
export const listOf = (value: unknown, name: string): readonly unknown[] => {
  const found = memberOf(value, name)
  return Array.isArray(found) ? found : []
}

/** Returns a text in a provider's answer; '': none. */
export const stringOf = (value: unknown, name: string): string => {
  const found = memberOf(value, name)
  return typeof found === 'string' ? found : ''
}

/** Returns a count in a provider's answer. */
export const countOf = (value: unknown, name: string): number => {
  const found = memberOf(value, name)
  return typeof found === 'number' && Number.isSafeInteger(found) && found > 0 ? found : 0
}

/** The variable that names the model of a provider, and Dapr's default (components-contrib: conversation/models.go). */
const MODELS = {
  anthropic: ['ANTHROPIC_MODEL', 'claude-sonnet-4-20250514'],
  azure: ['AZURE_OPENAI_MODEL', 'gpt-4.1-nano'],
  deepseek: ['', 'deepseek-chat'],
  googleai: ['GOOGLEAI_MODEL', 'gemini-2.5-flash-lite'],
  huggingface: ['HUGGINGFACE_MODEL', 'deepseek-ai/DeepSeek-R1-Distill-Qwen-32B'],
  mistral: ['MISTRAL_MODEL', 'open-mistral-7b'],
  ollama: ['OLLAMA_MODEL', 'llama3.2:latest'],
  openai: ['OPENAI_MODEL', 'gpt-5-nano']
} as const satisfies Readonly<Record<string, readonly [variable: string, fallback: string]>>

/** The types of components that ask a provider. */
type ProviderName = keyof typeof MODELS

/** Returns the provider of a type of component; undefined: it does not use one. */
export function providerOf(kind: string, {properties}: Pick<OpenOptions, 'properties'>): ProviderName | undefined {
  if (kind === 'openai' && /^azure$/i.test(properties.text('apiType'))) return 'azure'
  return Object.hasOwn(MODELS, kind) ? (kind as ProviderName) : undefined
}

/** Returns the model of a component. The environment has precedence. */
export function modelName(provider: ProviderName, {properties, env}: Pick<OpenOptions, 'properties' | 'env'>): string {
  const [variable, fallback] = MODELS[provider]
  return (variable !== '' && env[variable]) || properties.text('model') || fallback
}
