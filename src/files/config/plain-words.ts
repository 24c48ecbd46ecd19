import {isPlainTemplate} from '../../model/template-name.ts'

/** Short names that keys of an app have in a `pillion.yaml`. */
export const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['id', 'appID'],
  ['dir', 'appDirPath']
])

/** Dapr's and Go's words, and the plain ones. */
const WORDS: readonly (readonly [of: RegExp, plain: string])[] = [
  [/^Error getting apps from config file: /, ''],
  [/^Error (?:validating run config for|starting Dapr and) app \(?(".*?")\)?(?: present in \S+)?: /, 'app $1: '],
  [/^error in parsing the provided app config file: yaml: (?:line \d+: )?/, 'not valid YAML: '],
  [/^line \d+: cannot unmarshal .*/s, 'a value of the wrong type'],
  [/^required field '(\w+)' not found in .*/, '$1 is missing'],
  [/^error in getting the file info for (.*): stat .*: (.*)/, '$1: $2'],
  [/^error in reading the [\w ]+: (?:open|read) /, 'cannot read '],
  [/exec: no command/, 'the command is empty']
]

/** Returns a text in words for a plain template; any other template has Dapr's. */
export function plainWords(
  {shownAs, text}: {readonly shownAs: string; readonly text: string},
  message: string
): string {
  if (!isPlainTemplate(shownAs)) return message
  const plain = WORDS.reduce((words, [of, to]) => words.replace(of, to), message)
  return [...SHORT_NAMES].reduce(
    (words, [short, whole]) => (text.includes(whole) ? words : words.replaceAll(whole, short)),
    plain
  )
}
