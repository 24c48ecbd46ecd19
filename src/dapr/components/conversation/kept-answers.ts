import type {OpenOptions} from '../component.ts'
import {askedOf} from './asked.ts'
import type {LanguageModel, ModelAnswer, ModelQuestion} from '../language-model.ts'

/** Answers beyond this are forgotten, the oldest first. */
const MAX_ANSWERS = 1000

/** Returns a model that keeps answers for `responseCacheTTL`: equal questions get them. Failures and empty answers are not kept. */
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
    // asked again by a policy, it may say something
    if (answer.choices.every(({text, calls}) => text === '' && calls.length === 0)) return answer
    kept.delete(key)
    kept.set(key, {answer, until: performance.now() + keepMs})
    const [oldest] = kept.keys()
    if (kept.size > MAX_ANSWERS && oldest !== undefined) kept.delete(oldest)
    return answer
  }
  return {...model, converse}
}
