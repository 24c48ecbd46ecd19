import type {Environment} from './environment.ts'

/** Signs of ours, and characters of ASCII that are as wide. */
const IN_ASCII: ReadonlyMap<string, string> = new Map([
  ...Array.from(
    '→←↑↓…·×’“”–µ│├└─█░✕⨯✘●▲◐↻◌◆○■⚠',
    (sign, at) => [sign, `><^v~-x'""-u||\`-#:xxx*!o~.+o=!`[at] ?? '?'] as const
  ),
  ['✅', 'OK'],
  ['❌', 'X '],
  ['⌛', '..'],
  ['ℹ️', 'i ']
])
const SIGN = new RegExp([...IN_ASCII.keys()].join('|'), 'g')

/** Returns the text with signs that the locale of a terminal can show: a locale other than UTF-8 (POSIX, 8.2) has ASCII. */
export function inLocale(text: string, {LC_ALL, LC_CTYPE, LANG}: Environment): string {
  const isUtf8 = /^$|utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
  return isUtf8 ? text : text.replace(SIGN, sign => IN_ASCII.get(sign) ?? sign)
}
