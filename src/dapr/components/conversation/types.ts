import type {ComponentType, TypesOf} from '../component.ts'
import type {LanguageModel} from '../language-model.ts'
import type {ChatProvider} from './chat-completions.ts'

const PROVIDER = ['key', 'model', 'endpoint']
const CACHE = ['responseCacheTTL', 'cacheTTL']

const chat = (provider: ChatProvider, ...properties: readonly string[]): ComponentType<LanguageModel> => ({
  properties: [...PROVIDER, ...properties],
  capabilities: [],
  load: async () => (await import('./chat-completions.ts')).openChat(provider)
})

export const CONVERSATION_TYPES: TypesOf<LanguageModel> = {
  anthropic: {
    properties: [...PROVIDER, ...CACHE, 'apiType'],
    capabilities: [],
    load: async () => (await import('./anthropic.ts')).open
  },
  deepseek: chat('deepseek', ...CACHE, 'maxTokens'),
  echo: {properties: [], capabilities: [], load: async () => (await import('./echo.ts')).open},
  googleai: chat('googleai', ...CACHE),
  huggingface: chat('huggingface', ...CACHE),
  mistral: chat('mistral', ...CACHE),
  ollama: chat('ollama', ...CACHE),
  openai: chat('openai', ...CACHE, 'apiType', 'apiVersion')
}
