import type {OpenOptions} from '../component.ts'

/** The variable that names the model, and Dapr's choice where nothing does (components-contrib: conversation/models.go). */
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
export type ProviderName = keyof typeof MODELS

/** The provider behind a type of component; undefined: it asks none. */
export function providerOf(kind: string, {properties}: Pick<OpenOptions, 'properties'>): ProviderName | undefined {
  if (kind === 'openai' && /^azure$/i.test(properties.text('apiType'))) return 'azure'
  return Object.hasOwn(MODELS, kind) ? (kind as ProviderName) : undefined
}

/** The model of a component: the environment comes first. */
export function modelName(provider: ProviderName, {properties, env}: Pick<OpenOptions, 'properties' | 'env'>): string {
  const [variable, fallback] = MODELS[provider]
  return (variable !== '' && env[variable]) || properties.text('model') || fallback
}
