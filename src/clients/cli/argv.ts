import {UsageError} from './command-handler.ts'
import type {Flag} from './flag.ts'
import {answerToCommand} from './other-tools.ts'

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/**
 * Converts forms that only pflag knows into forms that commander knows: `-p=3000`, and `--flag=true|false` for a boolean flag, of which
 * the last one counts. Arguments after `--` belong to the app and stay unchanged.
 */
export function asCommander(args: readonly string[], flags: readonly Flag[]): readonly string[] {
  const end = args.indexOf('--')
  const ours = end < 0 ? args : args.slice(0, end)
  let isValue = false
  const words = ours.flatMap(arg => {
    const isPlain = isValue
    isValue = !isValue && takesNext(arg, flags)
    return (isPlain ? [arg] : translate(arg, flags)).map(text => ({text, isPlain}))
  })
  const translated = words.flatMap(({text, isPlain}, at) => {
    const later = words.slice(at).filter(word => !word.isPlain)
    const off = flags.filter(flag => flag.type === 'bool' && later.some(word => word.text === offWord(flag)))
    return isPlain || off.length === 0 ? [text] : without(off, text, flags)
  })
  return [...translated, ...(end < 0 ? [] : args.slice(end))]
}

/** Removes switched-off flags from a word of the command line. Returns an empty list if nothing is left of the word. */
function without(off: readonly Flag[], text: string, flags: readonly Flag[]): readonly string[] {
  if (off.some(flag => text === `--${flag.name}` || text === offWord(flag))) return []
  const [, shorts = ''] = /^-([A-Za-z].*)$/s.exec(text) ?? []
  if (shorts === '') return [text]
  const at = valueAt(shorts, flags)
  const [switches, rest] = at < 0 ? [shorts, ''] : [shorts.slice(0, at), shorts.slice(at)]
  const left = Array.from(switches).filter(each => !off.some(({short}) => short === each))
  return left.length + rest.length === 0 ? [] : [`-${left.join('')}${rest}`]
}

/** Returns the index of the first short flag with a value, which is the rest of the word; -1 without such a flag. */
const valueAt = (shorts: string, flags: readonly Flag[]): number =>
  Array.from(shorts).findIndex(each => flags.some(({short, type}) => short === each && type !== 'bool'))

/** Whether the next argument is the value of this one, even if it begins with a dash. */
function takesNext(arg: string, flags: readonly Flag[]): boolean {
  if (arg.startsWith('--')) return flags.some(({name, type}) => arg === `--${name}` && type !== 'bool')
  const [, shorts = ''] = /^-([A-Za-z]+)$/.exec(arg) ?? []
  return shorts !== '' && valueAt(shorts, flags) === shorts.length - 1
}

function translate(arg: string, flags: readonly Flag[]): readonly string[] {
  const short = /^-([A-Za-z]+)=(.*)$/s.exec(arg)
  if (short) {
    const [, shorts = '', value = ''] = short
    const at = valueAt(shorts, flags)
    if (at >= 0 && at < shorts.length - 1) return [arg] // `-eNAME=value`: commander reads it as pflag does
    const flag = flags.find(known => known.short === shorts.at(-1))
    if (flag?.type !== 'bool') return [`-${shorts}`, value]
    return shorts.length > 1 ? [`-${shorts.slice(0, -1)}`, ...switched(flag, value)] : switched(flag, value)
  }
  const long = /^--([^=]+)=(.*)$/s.exec(arg)
  const flag = long && flags.find(known => known.type === 'bool' && known.name === long[1])
  return flag ? switched(flag, long[2] ?? '') : [arg]
}

const offWord = ({name}: Flag): string => `--${name}=false`

function switched(flag: Flag, value: string): readonly string[] {
  if (TRUE.has(value)) return [`--${flag.name}`]
  if (FALSE.has(value)) return [offWord(flag)]
  throw new UsageError(
    `invalid argument "${value}" for "${shownAs(flag)}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`
  )
}

/** Parses a number like Go's ParseInt: decimal, `0x`, `0o`, `0b`, leading 0 for octal. Throws a UsageError with Go's message. */
export function flagInteger(flag: Flag, value: string): number {
  const match = /^([+-]?)(0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9]\d*)$/.exec(value)
  if (!match)
    throw new UsageError(
      `invalid argument "${value}" for "${shownAs(flag)}" flag: strconv.ParseInt: parsing "${value}": invalid syntax`
    )
  const [, sign = '', digits = ''] = match
  const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  return sign === '-' ? -size : size
}

/** Parses `a,b` and repeated flags, like pflag's StringSlice. */
export const parseList = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value.split(',')
]

const shownAs = ({name, short}: Flag): string => (short === undefined ? `--${name}` : `-${short}, --${name}`)

/** Translates commander's message for a usage error into cobra's. */
export function inCobrasWords(code: string, message: string, args: readonly string[], program: string): string {
  if (code === 'commander.unknownOption') {
    const word = /'(.*)'/s.exec(message)?.[1] ?? ''
    if (word.startsWith('--')) return `unknown flag: ${word.split('=')[0] ?? word}`
    return `unknown shorthand flag: '${word[1] ?? ''}' in ${word}`
  }
  if (code === 'commander.optionMissingArgument') {
    const [, short, long] = /'(?:(-\w), )?(--[\w-]+) /.exec(message) ?? []
    return short !== undefined && !args.includes(long ?? '')
      ? `flag needs an argument: '${short[1] ?? ''}' in ${short}`
      : `flag needs an argument: ${long ?? ''}`
  }
  if (code === 'commander.unknownCommand') {
    const word = /'(.*?)'/.exec(message)?.[1] ?? ''
    const answer = answerToCommand(word)
    if (answer?.endsWith('.') === true) return `unknown command "${word}" for "${program}"\n\n${answer}\n`
    const near = answer ?? /\(Did you mean (?:one of )?(.*)\?\)/.exec(message)?.[1]
    return `unknown command "${word}" for "${program}"${
      near === undefined
        ? ''
        : `\n\nDid you mean this?\n${near
            .split(', ')
            .map(name => `\t${name}\n`)
            .join('')}`
    }`
  }
  return message.replace(/^error: /, '')
}
