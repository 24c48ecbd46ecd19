import {FinalError, type LanguageModel, type ModelAnswer, type ModelQuestion} from '../../components/language-model.ts'
import {attemptSignal, leaving, type OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {AppBlock} from './block-context.ts'
import {BlockError, rethrowAs, daprError} from './block-error.ts'

interface FoundModel {
  readonly name: string
  readonly model: LanguageModel
}

const CHOICES = "'auto', 'none', 'required', or a specific tool name matching the tools available to be used"

/** Conversation with language models (Dapr: pkg/api/universal/conversation.go). */
export class Conversations extends AppBlock {
  /** Finds the model of a component. Rejects with Dapr's error and Pillion's reason. */
  async find(name: string): Promise<FoundModel> {
    const words = `failed finding conversation component ${name}`
    const missing = daprError([400, 'invalidArgument', 'ERR_CONVERSATION_NOT_FOUND'], words)
    const {component: model} = await this.context.component('conversation', name, {none: missing, unknown: missing})
    return {name, model}
  }

  /** Asks the model. Cancels the request if the caller leaves, or a policy's timeout ends. */
  async ask({name, model}: FoundModel, question: ModelQuestion, onGone: OnGone): Promise<ModelAnswer> {
    checkToolChoice(name, question)
    const caller = leaving(onGone)
    const treatment = {onGone: caller.onGone, isFinal: (error: unknown) => error instanceof FinalError}
    return this.context
      .outbound({block: 'conversation', name, operation: 'converse', ...treatment}, async attempt =>
        checked(await model.converse(question, attemptSignal(caller.gone, attempt)), question)
      )
      .catch(rethrowAs([500, 'internal', 'ERR_CONVERSATION_INVOKE'], `failed conversing with component ${name}: `))
  }

  missingInputs(name: string): BlockError {
    return new BlockError(
      [400, 'invalidArgument', 'ERR_CONVERSATION_MISSING_INPUTS'],
      `failed conversing with component ${name}: missing inputs in request`
    )
  }
}

/** Returns Dapr's error for a request with invalid parameters. */
export const invalidQuestion = (name: string, why: string): BlockError =>
  new BlockError(
    [400, 'invalidArgument', 'ERR_CONVERSATION_INVALID_PARMS'],
    `failed conversing with component ${name}: invalid params: ${why}`
  )

/** Checks the choice of a tool. As in Dapr, any name passes if there are no tools. */
function checkToolChoice(name: string, {toolChoice, tools}: ModelQuestion): void {
  if (toolChoice === 'required' && tools.length === 0) throw invalidQuestion(name, `tool choice must be ${CHOICES}`)
  if (['', 'auto', 'none', 'required'].includes(toolChoice) || tools.length === 0) return
  if (!tools.some(tool => tool.name === toolChoice))
    throw invalidQuestion(name, `tool choice selected was not found. Must be ${CHOICES}`)
}

/** Throws for an empty answer of a model that had to call a tool, so that a retry policy asks again. */
function checked(answer: ModelAnswer, {toolChoice, tools}: ModelQuestion): ModelAnswer {
  if (toolChoice === 'required' && answer.choices.every(({text, calls}) => text === '' && calls.length === 0))
    throw new Error(`LLM returned empty response with no tool calls despite ${tools.length} tools being available`)
  return answer
}
