import type {Environment} from './environment.ts'

/** Signs that Pillion prints, and ASCII characters of the same width. */
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

/** Replaces signs that the locale of a terminal cannot show: any locale but UTF-8 (POSIX, 8.2) gets ASCII. */
export function inLocale(text: string, {LC_ALL, LC_CTYPE, LANG}: Environment): string {
  const isUtf8 = /^$|utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
  return isUtf8 ? text : text.replace(SIGN, sign => IN_ASCII.get(sign) ?? sign)
}
