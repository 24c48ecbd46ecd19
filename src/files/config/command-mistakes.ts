import {existsSync} from 'node:fs'
import {resolve} from 'node:path'
import type {Mistake} from './diagnose.ts'
import type {Spot} from '../yaml/place.ts'
import type {Settings} from './merge.ts'
import {asList, quoted} from './values.ts'

/** Words that only a shell understands: `|`, `&&`, `;`, `> file`, `2>&1`. */
const OPERATOR = /^(?:\|\|?|&&?|;|<|[012&]?>>?(?:&[012]|(?!=)[^>]*))$/
/** Programs that have such words as arguments. */
const TAKES_OPERATORS = /(?:^|\/)(?:find|fd|expr|test|\[|(?:ba|da|z)?sh)$/
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s

/** Commands that were written for a shell: Dapr starts programs without one. */
export function commandMistakes(settings: Settings): readonly Mistake[] {
  const {command = [], ready} = settings.values
  const probe = typeof ready === 'object' ? (ready.command ?? []) : []
  return [
    ...mistakeIn(command, settings.folder, index => settings.spot('command', index)),
    ...mistakeIn(probe, settings.folder, index => settings.spot('ready', 'command', index))
  ]
}

function mistakeIn(words: readonly string[], folder: string, spotOf: (index: string) => Spot): readonly Mistake[] {
  const [first = ''] = words
  const operator = words.findIndex(word => OPERATOR.test(word))
  if (operator !== -1 && !words.slice(0, operator).some(word => TAKES_OPERATORS.test(word)))
    return [
      noShell(spotOf(String(operator)), {
        message: `${JSON.stringify(words[operator])} is an argument of ${first}: no shell reads this command`,
        hint: `for a shell, write [sh, -c, ${quoted([words.map(asShellWord).join(' ')])}]`
      })
    ]
  const [, name = '', value = ''] = ASSIGNMENT.exec(first) ?? []
  if (name !== '')
    return [
      noShell(spotOf('0'), {
        message: `${first} is no program: no shell reads this command`,
        hint: `write env: {${name}: ${JSON.stringify(value)}}`
      })
    ]
  if (words.length !== 1 || !/\S\s+\S/.test(first) || existsSync(resolve(folder, first))) return []
  return [
    noShell(spotOf('0'), {
      message: `${JSON.stringify(first)} is taken for the name of one program, with its blanks`,
      hint: `write ${asList(first)}`
    })
  ]
}

const noShell = (spot: Spot, texts: Pick<Mistake, 'message' | 'hint'>): Mistake => ({code: 'no-shell', spot, ...texts})

const asShellWord = (word: string): string =>
  OPERATOR.test(word) || /^[\w@%+=:,./$-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
