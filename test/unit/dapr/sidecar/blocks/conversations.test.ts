import t from 'tap'
import type {BlockContext, OutboundCall} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import {Conversations} from '../../../../../src/dapr/sidecar/blocks/conversations.ts'
import type {LanguageModel, ModelQuestion} from '../../../../../src/dapr/components/language-model.ts'

const QUESTION: ModelQuestion = {
  messages: [],
  tools: [],
  toolChoice: '',
  temperature: undefined,
  responseFormat: undefined,
  metadata: {},
  keepPromptMs: 0,
  isAnswerScrubbed: false
}

const conversations = new Conversations({
  appId: 'shop',
  outbound: async (_: OutboundCall, work: () => Promise<unknown>) => work()
} as unknown as BlockContext)

/** A model that answers once it is asked no more. */
function deafModel() {
  const asked: boolean[] = []
  const converse = async (_: ModelQuestion, signal: AbortSignal): Promise<never> => {
    asked.push(signal.aborted)
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve))
    throw new Error('context canceled')
  }
  const model: LanguageModel = {capabilities: [], model: '', converse, close: async () => undefined}
  return {found: {name: 'llm', model}, asked}
}

t.test('who has left before the model is asked, as its component was opened, asks nothing', async t => {
  const {found, asked} = deafModel()
  await t.rejects(
    conversations.ask(found, QUESTION, listener => listener()),
    {message: /context canceled/}
  )
  t.strictSame(
    asked.filter(isAborted => !isAborted),
    []
  )
})

t.test('who leaves while the model thinks asks no more', async t => {
  const {found, asked} = deafModel()
  const leaving: (() => void)[] = []
  const asking = conversations.ask(found, QUESTION, listener => leaving.push(listener))
  while (asked.length === 0) await new Promise(setImmediate)
  for (const leave of leaving) leave()
  await t.rejects(asking, {message: /context canceled/})
})
