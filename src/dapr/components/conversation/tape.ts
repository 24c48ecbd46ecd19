import {statSync} from 'node:fs'
import {dirname} from 'node:path'
import {codeOf, messageOf, type Place} from '../../../model/errors.ts'
import {readTextBytes, utf8Text} from '../../../model/read-file.ts'
import {ComponentFault} from '../properties.ts'
import {FinalError, type ModelAnswer} from '../language-model.ts'
import {keysSorted, type WrittenQuestion} from './asked.ts'
import {memberOf} from './provider.ts'
import {makeFolder, writeWhole} from '../../../platform/make-folder.ts'

/** Maximum size of a recording, which is read as a whole. */
const MAX_TAPE_BYTES = 256 * 2 ** 20

/** A question as a file has it, with the model that was asked. */
export type RecordedQuestion = WrittenQuestion & {readonly model: string}

interface Entry {
  /** The question as text: the same question is the same text. */
  readonly key: string
  readonly question: RecordedQuestion
  readonly answer: ModelAnswer
  /** Line of the entry when the file was read. */
  readonly line: number
}

/** Answers of a model in a file, one per line: `{"model", "messages", …, "answer"}`. A repeated question gets its answers in order, then from the first again. */
export class Tape {
  /** The path in messages. */
  readonly shownAs: string
  readonly #path: string
  #entries: Entry[] = []
  /** Inode, time and size of the file at the latest read or write. If they differ, the user has edited the file. */
  #version = ''
  /** How often each question has been asked in this run. */
  readonly #asked = new Map<string, number>()

  private constructor(path: string, shownAs: string) {
    this.#path = path
    this.shownAs = shownAs
  }

  /** Reads a recording. Throws a ComponentFault with the place of the first wrong line. `isWanted`: the file must exist. */
  static read(path: string, shownAs: string, isWanted: boolean): Tape {
    const tape = new Tape(path, shownAs)
    tape.#read(isWanted)
    return tape
  }

  #read(isWanted: boolean): void {
    this.#version = versionOf(this.#path)
    let text = ''
    try {
      text = utf8Text(readTextBytes(this.#path, MAX_TAPE_BYTES))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw new ComponentFault(`${this.shownAs} cannot be read: ${messageOf(error)}`)
      if (isWanted)
        throw new ComponentFault(
          `${this.shownAs} is not there: run once with "record" in place of "replay", which makes it`
        )
    }
    const lines = text.split('\n').map((source, at) => ({source, line: at + 1}))
    this.#entries = lines
      .filter(({source}) => source.trim() !== '')
      .map(({source, line}) => entryIn(source, {file: this.#path, line, column: 1, source: source.slice(0, 200)}))
  }

  /** The questions, each with its line in the file that was read. */
  get questions(): readonly {readonly question: RecordedQuestion; readonly line: number}[] {
    return this.#entries
  }

  /** The next answer to a question; undefined: it was not recorded. */
  next(question: RecordedQuestion): ModelAnswer | undefined {
    const key = keyOf(question)
    const answers = this.#entries.filter(entry => entry.key === key)
    if (answers.length === 0) return undefined
    const times = this.#asked.get(key) ?? 0
    this.#asked.set(key, times + 1)
    return answers[times % answers.length]?.answer
  }

  /** Adds an answer. The first answer of this run replaces answers of earlier runs to the question. Other entries stay in place. */
  async add(question: RecordedQuestion, answer: ModelAnswer): Promise<void> {
    if (versionOf(this.#path) !== this.#version) this.#readEdited()
    const key = keyOf(question)
    const times = this.#asked.get(key) ?? 0
    this.#asked.set(key, times + 1)
    const first = this.#entries.findIndex(entry => entry.key === key)
    if (times === 0) this.#drop(key)
    const latest = this.#entries.findLastIndex(entry => entry.key === key)
    const at = latest >= 0 ? latest + 1 : first >= 0 ? first : this.#entries.length
    this.#entries.splice(at, 0, {key, question, answer, line: 0})
    this.#write()
  }

  /** Reads the file again if the user has edited it. Throws a FinalError for a mistake, and leaves the file as it is. */
  #readEdited(): void {
    try {
      this.#read(false)
    } catch (error) {
      if (!(error instanceof ComponentFault)) throw error
      this.#version = ''
      const {line} = error.place ?? {line: 0}
      throw new FinalError(
        `the answer could not be recorded in ${this.shownAs}${line > 0 ? `, line ${line}` : ''}: ${error.message}`
      )
    }
  }

  #drop(key: string): void {
    for (let at = this.#entries.length - 1; at >= 0; at--)
      if (this.#entries[at]?.key === key) this.#entries.splice(at, 1)
  }

  #write(): void {
    const text = this.#entries.map(({question, answer}) => `${JSON.stringify({...question, answer})}\n`).join('')
    try {
      makeFolder(dirname(this.#path))
      writeWhole(this.#path, text)
      this.#version = versionOf(this.#path)
    } catch (error) {
      throw new FinalError(`the answer could not be recorded in ${this.shownAs}: ${messageOf(error)}`)
    }
  }
}

/** Returns a text that changes when another program writes the file; '': no file. */
function versionOf(path: string): string {
  const stat = statSync(path, {throwIfNoEntry: false, bigint: true})
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`
}

const keyOf = (question: RecordedQuestion): string => JSON.stringify(keysSorted(question))

function entryIn(source: string, place: Place): Entry {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw new ComponentFault(`this line is no JSON: ${messageOf(error)}`, place)
  }
  const [answer, messages] = [memberOf(value, 'answer'), memberOf(value, 'messages')]
  if (!Array.isArray(messages)) throw new ComponentFault('this line has no list "messages"', place)
  if (!isAnswer(answer))
    throw new ComponentFault('this line has no "answer" with a list "choices" of texts and calls', place)
  const {answer: _, ...question} = value as RecordedQuestion & {readonly answer: ModelAnswer}
  return {key: keyOf(question), question, answer, line: place.line}
}

/** Whether a value is an answer: a person may have edited the file. */
function isAnswer(value: unknown): value is ModelAnswer {
  const choices = memberOf(value, 'choices')
  return (
    Array.isArray(choices) &&
    choices.every(
      choice =>
        typeof memberOf(choice, 'text') === 'string' &&
        typeof memberOf(choice, 'reason') === 'string' &&
        Array.isArray(memberOf(choice, 'calls'))
    )
  )
}
