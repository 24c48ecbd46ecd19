import {join} from 'node:path'
import type {ComponentResource} from '../../../files/resources/components.ts'
import {splitType} from '../../../files/resources/component-types.ts'
import type {OpenComponent, OpenOptions} from '../component.ts'
import {FinalError, type LanguageModel, type ModelAnswer, type ModelQuestion} from '../language-model.ts'
import {askedOf, scrubbedAnswer} from './asked.ts'
import {modelName, providerOf} from './model-name.ts'
import {nearestText} from './nearest.ts'
import {Tape, type RecordedQuestion} from './tape.ts'
import {withoutDay} from './today.ts'
import {CONVERSATION_TYPES} from './types.ts'

/** The files in which answers of models are kept: `conversations/NAME.jsonl` in the folder of the template, one for each component. */
export class Recordings {
  readonly #folder: string
  readonly #tapes = new Map<string, Tape>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Opens a component so that its answers are kept, or given back. */
  opener({name, type}: ComponentResource, isReplayed: boolean): OpenComponent<LanguageModel> {
    const [, kind] = splitType(type)
    if (isReplayed) return async options => this.#replayed(name, kind, options)
    return async options => {
      const model = await (await CONVERSATION_TYPES[kind]?.load())?.(options)
      if (model === undefined) throw new Error(`couldn't find conversation ${type}`)
      return this.#recorded(name, model)
    }
  }

  #tape(name: string, isWanted: boolean): Tape {
    const known = this.#tapes.get(name)
    if (known !== undefined && !isWanted) return known
    const tape = Tape.read(
      join(this.#folder, 'conversations', `${name}.jsonl`),
      `conversations/${name}.jsonl`,
      isWanted
    )
    this.#tapes.set(name, tape)
    return tape
  }

  #recorded(name: string, model: LanguageModel): LanguageModel {
    const tape = this.#tape(name, false)
    const converse = async (question: ModelQuestion, signal: AbortSignal): Promise<ModelAnswer> => {
      const asked = written(model.model, question) // by the day of now: the answer may come on the next one
      const answer = await model.converse(question, signal)
      await tape.add(asked, scrubbedAnswer(answer, question))
      return answer
    }
    return {...model, converse}
  }

  #replayed(name: string, kind: string, options: OpenOptions): LanguageModel {
    const tape = this.#tape(name, true)
    const provider = providerOf(kind, options)
    const model = provider === undefined ? '' : modelName(provider, options)
    const converse = async (question: ModelQuestion): Promise<ModelAnswer> => {
      const asked = written(model, question)
      const answer = tape.next(asked)
      if (answer !== undefined) return answer
      throw new FinalError(
        `${tape.shownAs} has no answer to this: ${nearestText(asked, tape.questions)}; "conversation: {${name}: record}" in the template asks the model, and adds its answer`
      )
    }
    return {capabilities: [], model, converse}
  }
}

/** Returns a question as it is recorded. */
function written(model: string, question: ModelQuestion): RecordedQuestion {
  const withoutToday = withoutDay(new Date())
  const text = JSON.stringify({model, ...askedOf(question)})
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' ? withoutToday(value) : value
  ) as RecordedQuestion
}
