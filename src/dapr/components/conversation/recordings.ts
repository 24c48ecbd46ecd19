import {join} from 'node:path'
import type {ComponentResource} from '../../../files/resources/components.ts'
import {splitType} from '../../../files/resources/component-types.ts'
import type {OpenComponent, OpenOptions} from '../component.ts'
import {FinalError, type LanguageModel, type ModelAnswer, type ModelQuestion} from '../language-model.ts'
import {askedOf, scrubbedAnswer} from './asked.ts'
import {modelName, providerOf} from './provider.ts'
import {Tape, type RecordedQuestion} from './tape.ts'
import {CONVERSATION_TYPES} from './types.ts'
import {isDeepStrictEqual} from 'node:util'

/** The recorded answers of models: a file `conversations/NAME.jsonl` in the folder of the template for each component. */
export class Recordings {
  readonly #folder: string
  readonly #tapes = new Map<string, Tape>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Returns a loader whose component records answers or replays them. */
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
      const asked = written(model.model, question) // uses today's date: the answer may arrive tomorrow
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

/** Returns a question in the form of the file. */
function written(model: string, question: ModelQuestion): RecordedQuestion {
  const withoutToday = withoutDay(new Date())
  const text = JSON.stringify({model, ...askedOf(question)})
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' ? withoutToday(value) : value
  ) as RecordedQuestion
}

const MAX_TEXT = 200

const short = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

/** Describes the question, and how the nearest recorded one differs from it. */
function nearestText(
  asked: RecordedQuestion,
  recorded: readonly {readonly question: RecordedQuestion; readonly line: number}[]
): string {
  const {messages, model, tools = []} = asked
  const of = [
    ...(model === '' ? [] : [`of the model ${model}`]),
    ...(messages.length > 1 ? [`the last of ${messages.length} messages`] : []),
    ...(tools.length > 0 ? [`with ${tools.length} tools`] : [])
  ]
  const what = `${short(messages.at(-1))}${of.length > 0 ? ` (${of.join(', ')})` : ''}`
  // a file may have thousands of long questions
  const likest = recorded.map(each => ({...each, likeness: likeness(asked, each.question)}))
  const best = likest.reduce((a, b) => (b.likeness > (a?.likeness ?? -1) ? b : a), likest[0])
  if (best === undefined) return `${what}; it is empty`
  const {path, is, was} = difference(asked, best.question)
  return `${what}; nearest is line ${best.line}, where ${path} is ${short(was)}, and not ${short(is)}`
}

/** Compares questions: the number of equal messages first, then the equal part of the first message that differs. */
function likeness(a: RecordedQuestion, b: RecordedQuestion): number {
  const at = firstOther(a.messages, b.messages)
  const rest = ['model', 'tools', 'toolChoice', 'temperature', 'responseFormat'] as const
  const equal = rest.filter(key => isDeepStrictEqual(a[key], b[key])).length
  return at + shared(JSON.stringify(a.messages[at] ?? ''), JSON.stringify(b.messages[at] ?? '')) + equal / 10
}

const firstOther = (a: readonly unknown[], b: readonly unknown[]): number => {
  const at = a.findIndex((each, index) => !isDeepStrictEqual(each, b[index]))
  return at < 0 ? a.length : at
}

/** Returns which part of two texts is equal at their starts and ends, from 0 to 1. */
function shared(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let start = 0
  while (start < length && a[start] === b[start]) start++
  let end = 0
  while (end < length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return (start + end) / Math.max(a.length, b.length, 1)
}

function difference(asked: RecordedQuestion, other: RecordedQuestion): {path: string; is: unknown; was: unknown} {
  const at = firstOther(asked.messages, other.messages)
  if (at < Math.max(asked.messages.length, other.messages.length))
    return {path: `messages[${at}]`, is: asked.messages[at], was: other.messages[at]}
  const keys = [...new Set([...Object.keys(asked), ...Object.keys(other)])] as (keyof RecordedQuestion)[]
  const path = keys.find(key => !isDeepStrictEqual(asked[key], other[key])) ?? 'model'
  return {path, is: asked[path], was: other[path]}
}

const SHORT = {year: 'numeric', month: 'short', day: 'numeric'} as const
const LONG = {...SHORT, month: 'long'} as const

const TIME = String.raw`(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?`

/**
 * Returns a function that replaces today's date by `<today>`, with or without weekday and time. Agents write the date into instructions, and
 * their questions must match the recording on other days, too. Other dates stay.
 */
export function withoutDay(now: Date): (text: string) => string {
  const forms = [undefined, 'UTC'].flatMap(timeZone => {
    const dateIn = (language: string, options: Intl.DateTimeFormatOptions): string =>
      now.toLocaleDateString(language, {...options, timeZone})
    const [weekday, abbreviated] = [dateIn('en-US', {weekday: 'long'}), dateIn('en-US', {weekday: 'short'})]
    // programs write a day of one digit as `05`, too, leave out commas, and shorten September to `Sep`
    const words = [LONG, SHORT].flatMap(options =>
      ['en-US', 'en-GB'].map(language =>
        dateIn(language, options)
          .replace(/(?<!\d)\d(?!\d)/, '0?$&')
          .replace(',', ',?')
          .replace('Sept ', 'Sept? ')
      )
    )
    return [...words, dateIn('sv-SE', {})].map(date => `(?:(?:${weekday}|${abbreviated}),? )?${date}${TIME}`)
  })
  const pattern = new RegExp(`(?<![\\w-])(?:${forms.join('|')})(?!\\w)`, 'g')
  return text => text.replaceAll(pattern, '<today>')
}
